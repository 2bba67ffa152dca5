"""Commands of a checkout: found beside the package, and missed in words where there is none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ssa.cli import workshop
from ssa.errors import InputError

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("command", workshop.WORKSHOP)
def test_a_checkout_has_them(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        workshop.run_workshop(command, ["--help"])
    assert f"usage: ssa {command}" in capsys.readouterr().out


@pytest.mark.parametrize("command", workshop.WORKSHOP)
def test_an_installed_copy_says_where_they_are(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workshop, "INSTALLED", True)
    with pytest.raises(
        InputError, match=f"expected a checkout for `ssa {command}`; got an installed"
    ):
        workshop.run_workshop(command, [])


def test_the_way_there_is_laid_once(monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [str(ROOT), str(ROOT / "scripts")]
    monkeypatch.setattr(sys, "path", [one for one in sys.path if one not in folders])
    for _ in range(2):
        with pytest.raises(SystemExit):
            workshop.run_workshop("evaluate", ["--help"])
    assert [sys.path.count(folder) for folder in folders] == [1, 1]
