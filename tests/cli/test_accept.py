"""The command: a sample, a promise, and names that are accepted under it in one entry."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssa.cli import app
from ssa.labelling.confidence import FILE as CONFIDENCE
from ssa.review.decisions import Accepted
from ssa.review.log import FILE, DecisionLog, read_history
from tests.score.runs import Truth, results, review


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def accept(out: Path, *arguments: str) -> int:
    return app.main(["accept", str(out), *arguments])


def sampled(out: Path, count: int, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, int]]:
    """The regions that it asks for."""
    capsys.readouterr()
    assert accept(out, "--error", "40%", "--sample", str(count)) == 0
    lines = [line.rsplit("\t", 1) for line in capsys.readouterr().out.splitlines()]
    return [(key, int(number)) for key, number in lines]


def learnt(out: Path, capsys: pytest.CaptureFixture[str]) -> Truth:
    """Results with confidences, learnt from a tenth of the regions."""
    truth = results(out, 20)
    review(out, truth, list(truth)[::10])
    assert app.main(["calibrate", str(out)]) == 0
    capsys.readouterr()
    return truth


def test_what_the_sample_allows_is_accepted_at_once(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = learnt(out, capsys)
    assert accept(out, "--error", "40%") == 1
    assert "nothing can be accepted yet: of the sample of 800 names" in capsys.readouterr().out
    asked = sampled(out, 200, capsys)
    assert len(set(asked)) == 200
    review(out, truth, asked)
    entries = read_history(out / FILE).entries
    assert accept(out, "--error", "40%", "--dry-run") == 0
    assert "names would be accepted" in capsys.readouterr().out
    assert read_history(out / FILE).entries == entries
    assert accept(out, "--error", "40%") == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    last = read_history(out / FILE).entries[-1]
    assert last.by == "accept"
    assert first.startswith(f"{len(last.decisions)} names accepted: with those that were reviewed")
    assert second.startswith("of these at most 40% are wrong, with 95% certainty: ")
    chosen = [one.region for one in last.decisions if isinstance(one, Accepted)]
    assert len(chosen) == len(last.decisions) > 100
    wrong = sum(not truth[one.picture, int(one.id)][1] for one in chosen)
    assert wrong / len(chosen) < 0.4
    before = {(one.picture, one.id) for one in chosen}
    assert not before & set(asked)


def test_what_it_accepted_is_no_review(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth = learnt(out, capsys)
    review(out, truth, sampled(out, 200, capsys))
    assert accept(out, "--error", "40%") == 0
    capsys.readouterr()
    assert accept(out, "--error", "40%", "--dry-run") == 0
    assert capsys.readouterr().out.startswith("0 names would be accepted")
    with DecisionLog(out / FILE) as log:
        assert log.undo() is not None
    assert accept(out, "--error", "40%", "--dry-run") == 0
    assert not capsys.readouterr().out.startswith("0 names")


def test_where_more_reviews_will_not_help_it_says_so(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = learnt(out, capsys)
    asked = sampled(out, 200, capsys)
    review(out, {region: (ref, False) for region, (ref, _) in truth.items()}, asked)
    assert accept(out, "--error", "5%") == 1
    assert "more reviews are unlikely to change that" in capsys.readouterr().out


def test_without_confidences_the_way_to_them_is_told(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results(out, 1)
    assert accept(out, "--error", "5%") == 2
    assert "`ssa calibrate OUT` first" in capsys.readouterr().err
    assert not (out / CONFIDENCE).exists()


@pytest.mark.parametrize("error", ["0", "1", "100%", "five", "-5%", "nan"])
def test_an_error_rate_is_a_share(
    out: Path, error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        accept(out, f"--error={error}")
    assert "expected a share of more than 0 and less than 1" in capsys.readouterr().err
