"""What is kept from one prediction to the next: one folder at a time, and lines that don't flood the log."""

from __future__ import annotations

import logging

import pytest

from ssa.progress import StageReport
from ssa.serving import keeping
from ssa.serving.keeping import FreshFolder, StageLog


def test_each_folder_is_empty_and_the_one_before_is_gone() -> None:
    folder = FreshFolder()
    first = folder.emptied()
    (first / "overlay.png").write_bytes(b"1")
    second = folder.emptied()
    assert not first.exists()
    assert list(second.iterdir()) == []


def test_a_long_stage_says_a_line_every_other_second_and_its_end(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [10.0]
    monkeypatch.setattr(keeping.time, "monotonic", lambda: now[0])
    log = StageLog()
    with caplog.at_level(logging.INFO, "ssa"):
        for seconds, done in ((10.0, 1), (10.5, 2), (11.9, 3), (12.1, 4), (12.2, 5)):
            now[0] = seconds
            log(StageReport("ranker", done, 5, seconds - 10))
    said = [record.getMessage() for record in caplog.records]
    assert said == ["ranker 1/5, 0.0 s", "ranker 4/5, 2.1 s", "ranker 5/5, 2.2 s"]
