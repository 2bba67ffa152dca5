"""``ssa weights``: downloading, checking and sealing by command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ssa.cli import app
from tests.weights.world import as_hub, build_world, fill_tiny
from tests.weights_server import serving


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with serving() as running:
        yield build_world(as_hub(running, monkeypatch), tmp_path / "weights")


def test_the_commands_work_and_fail_in_words(
    world: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = ["--root", str(world)]
    assert weights(["verify", "light", *root]) == 2
    assert "ssa weights: the weights bundle" in capsys.readouterr().err
    assert weights(["download", "light", *root]) == 0
    assert "light is complete" in capsys.readouterr().out
    assert weights(["verify", "light", "--quick", *root]) == 0
    fill_tiny(world)
    assert weights(["seal", "tiny", *root]) == 0
    assert "sealed 7 files" in capsys.readouterr().out
    for wrong in (["download", "tiny"], ["download", "light", "--with", "clip"]):
        with pytest.raises(SystemExit, match="2"):
            weights([*wrong, *root])
    assert weights(["download", "light", "--with", "semantic-sam", *root]) == 2
    assert "it offers none" in capsys.readouterr().err


def weights(typed: list[str]) -> int:
    return app.main(["weights", *typed])
