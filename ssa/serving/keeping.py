"""What a served model keeps between predictions: the folder of its files, and when it last spoke."""

from __future__ import annotations

import logging
import tempfile
import time
from pathlib import Path

from ssa.progress import StageReport

logger = logging.getLogger(__name__)

INTERVAL_S = 2.0


class FreshFolder:
    """A folder for one prediction's files at a time."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def emptied(self) -> Path:
        """A new one; that of the prediction before is removed."""
        if self._folder is not None:
            self._folder.cleanup()
        self._folder = tempfile.TemporaryDirectory(prefix="ssa-", ignore_cleanup_errors=True)
        return Path(self._folder.name)


class StageLog:
    """Logs every finished stage and, in a long one, a line every other second."""

    def __init__(self) -> None:
        self._next_line_s = 0.0

    def __call__(self, report: StageReport) -> None:
        """Take a report in."""
        now_s = time.monotonic()
        if report.done >= report.total or now_s >= self._next_line_s:
            self._next_line_s = now_s + INTERVAL_S
            logger.info("%s %d/%d, %.1f s", report.stage, report.done, report.total, report.seconds)
