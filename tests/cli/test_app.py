"""The front door of the command line: what it lists, and how it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import ssa
from ssa.cli import app, workshop
from ssa.errors import InputError
from ssa.weights import load_manifest

ROOT = Path(__file__).resolve().parents[2]


def ended(*typed: str) -> int:
    """The exit code, however it is given."""
    try:
        return app.main(typed)
    except SystemExit as end:
        return int(end.code or 0)


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("--version") == 0
    assert capsys.readouterr().out == f"ssa {ssa.__version__}\n"


@pytest.mark.parametrize("command", [*app.COMMANDS, *workshop.WORKSHOP])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(command, "--help") == 0
    assert "usage: " in capsys.readouterr().out


@pytest.mark.parametrize("typed", [(), ("paint",), ("predict", "--sharper"), ("weights",)])
def test_what_is_no_command_is_told_without_a_traceback(
    typed: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(*typed) == 2
    assert "usage: ssa" in capsys.readouterr().err


def test_an_interrupted_command_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("ssa.cli.weights.run", interrupted)
    assert app.main(["weights", "list"]) == 130
    assert capsys.readouterr().err == "ssa weights: stopped\n"


def test_completion_is_printed_for_a_shell(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("--print-completion", "bash") == 0
    script = capsys.readouterr().out
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    assert "--stability-score-thresh" in script


def test_an_installed_copy_has_no_workshop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workshop, "INSTALLED", True)
    with pytest.raises(InputError, match="expected a checkout"):
        workshop.run_workshop("evaluate", ["toy"])


def test_listing_commands_loads_no_framework() -> None:
    code = "import sys; from ssa.cli.app import parser; parser(); print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout == "False\n"


def test_weights_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["weights", "list"]) == 0
    rows = capsys.readouterr().out.splitlines()
    names = ["base", "light", "modern", "modern-light", "tiny", "tiny-modern"]
    assert [row.split()[0] for row in rows] == [*names, "in"]
    assert rows[4].split()[1] == "here"
    # What each is for begins in one column.
    specs = load_manifest().bundles.values()
    told = zip(rows[:-1], specs, strict=True)
    assert len({row.index(spec.purpose) for row, spec in told}) == 1
