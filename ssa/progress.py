"""How far the work is: a report after every batch, and each stage's seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StageReport:
    """Sent after every batch: ``done`` of ``total`` items of a stage, ``seconds`` since it began."""

    stage: str
    done: int
    total: int
    seconds: float


Report = Callable[[StageReport], None]


def keep_silent(_: StageReport) -> None:
    """The reporter of those who don't ask for progress."""


class Done(Protocol):
    """Tells how many items are finished, and of how many if the stage learns that only now."""

    def __call__(self, count: int, total: int = ..., /) -> None:
        """Report ``count`` finished items."""


class StageLog:
    """Times the stages and passes on their progress; ``seconds`` is by stage, in order of their ends."""

    def __init__(self, report: Report) -> None:
        self.seconds: dict[str, float] = {}
        self._report = report

    @contextmanager
    def stage(self, name: str, total: int) -> Iterator[Done]:
        """One stage; gives the function to call with the number of items finished so far."""
        began = time.perf_counter()

        def done(count: int, total: int = total) -> None:
            self._report(StageReport(name, count, total, time.perf_counter() - began))

        yield done
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began
