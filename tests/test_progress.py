"""The stage log: what is reported, and which seconds are kept."""

import pytest

from ssa.progress import StageLog, StageReport, keep_silent


def test_a_stage_reports_what_is_done_of_how_many() -> None:
    reports: list[StageReport] = []
    log = StageLog(reports.append)
    with log.stage("captioner", total=5) as done:
        done(2)
        done(5)
    with log.stage("sam", total=0) as done:
        done(3, 9)
    counts = [(report.stage, report.done, report.total) for report in reports]
    assert counts == [("captioner", 2, 5), ("captioner", 5, 5), ("sam", 3, 9)]
    assert 0 <= reports[0].seconds <= reports[1].seconds <= log.seconds["captioner"]
    assert list(log.seconds) == ["captioner", "sam"]


def test_a_stage_that_comes_twice_adds_up() -> None:
    log = StageLog(keep_silent)
    with log.stage("ranker", total=1):
        pass
    first = log.seconds["ranker"]
    with log.stage("ranker", total=1):
        pass
    assert list(log.seconds) == ["ranker"]
    assert log.seconds["ranker"] >= first


def test_a_stage_that_fails_has_no_seconds() -> None:
    log = StageLog(keep_silent)
    with pytest.raises(KeyError), log.stage("ranker", total=1):
        raise KeyError
    assert log.seconds == {}
