"""The command: one step back, whoever took it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssa.cli import app
from ssa.review.decisions import BY_ACCEPT, BY_PAGE, Accepted
from ssa.review.log import FILE, DecisionLog, read_history
from tests.score.runs import results


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Two decisions by accept, then one on the page."""
    out = tmp_path / "out"
    refs = [ref for ref, _ in results(out, 1).values()]
    with DecisionLog(out / FILE) as log:
        log.append([Accepted(refs[0], "cat"), Accepted(refs[1], "cat")], by=BY_ACCEPT)
        log.append([Accepted(refs[2], "cat")], by=BY_PAGE)
    return out


def numbers(out: Path) -> list[int]:
    return [one.number for one in read_history(out / FILE).entries]


def test_the_last_step_first(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["undo", str(out)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("undone: 1 decisions by page, ")
    assert second.startswith("once more takes back what was before: 2 decisions by accept, ")
    assert numbers(out) == [1]
    assert app.main(["undo", str(out)]) == 0
    assert numbers(out) == []
    capsys.readouterr()
    assert app.main(["undo", str(out)]) == 1
    assert capsys.readouterr().out == "nothing is left to undo\n"


def test_of_one_who_decided(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["undo", str(out), "--by", "accept"]) == 0
    assert numbers(out) == [2]
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert app.main(["undo", str(out), "--by", "accept"]) == 1


def test_another_folder_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["undo", str(tmp_path)]) == 2
    assert "expected a folder with results" in capsys.readouterr().err
