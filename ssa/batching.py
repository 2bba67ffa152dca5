"""Work in batches as large as memory allows: where one doesn't fit, it is done again in smaller ones."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

from ssa.errors import NEED_LESS_MEMORY, OutOfMemory

logger = logging.getLogger(__name__)

PATIENCE = 64
"""Full batches of a size that memory forced, before twice as many are tried."""


class Sliceable(Protocol):
    """Items in a row: a list, a tuple, a range or an array."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> Any: ...


Items = TypeVar("Items", bound=Sliceable)
Result = TypeVar("Result")


class BatchLimit:
    """How many items of one step fit into memory at once, as far as is known.

    It learns from what failed and keeps the last size that worked for the runs that follow, so it should
    live as long as the model whose memory it is about. After a while of full batches it tries twice as
    many, for whoever took the memory may be gone; each time that fails it waits twice as long. It decides
    how work is split, never what comes of it.
    """

    def __init__(self, step: str) -> None:
        """``step`` names the work in the log and in errors ("captions")."""
        self._step = step
        self._fits: int | None = None
        self._full_batches = 0
        self._patience = PATIENCE
        self._has_told = False

    def run(
        self, work: Callable[[Items], Result], items: Items, size: int
    ) -> Iterator[tuple[Items, Result]]:
        """Each batch and what ``work`` makes of it, in order, a batch at a time as they are asked for.

        A batch holds at most ``size`` items, or as many as fitted before. One that runs out of memory
        (``OutOfMemory`` or Python's own ``MemoryError``) is halved and done again; those before it are
        not. Raises ``OutOfMemory`` when a single item does not fit, ``ValueError`` for a size under 1.
        """
        if size < 1:
            raise ValueError(f"expected batches of at least 1 item, got {size}")
        start = 0
        while start < len(items):
            done = self._first_batch_that_fits(work, items, start, size)
            start += len(done[0])
            yield done
            del done  # A result may be large, and the next batch needs the room.

    def _first_batch_that_fits(
        self, work: Callable[[Items], Result], items: Items, start: int, size: int
    ) -> tuple[Items, Result]:
        first = fits = min(size, self._fits or size)
        while True:
            batch: Items = items[start : start + fits]
            try:
                result = work(batch)
            except MemoryError as error:
                if len(batch) == 1:
                    raise OutOfMemory(self._told_in_full(first)) from error
            else:
                if fits < first:
                    self._remember(first, fits)
                elif len(batch) == self._fits:
                    self._grow()
                return batch, result
            # Only here is the error gone, and with it the frames that hold the failed batch's tensors.
            fits = len(batch) // 2

    def _grow(self) -> None:
        self._full_batches += 1
        if self._fits and self._full_batches >= self._patience:
            self._fits, self._full_batches, self._patience = 2 * self._fits, 0, 2 * self._patience

    def _remember(self, failed: int, fits: int) -> None:
        self._fits, self._full_batches = fits, 0
        level = logging.DEBUG if self._has_told else logging.WARNING
        logger.log(
            level, "%s: out of memory at %d at once, now at most %d", self._step, failed, fits
        )
        self._has_told = True

    def _told_in_full(self, first: int) -> str:
        tried = "one at a time" if first == 1 else f"first {first} at once, at last one alone"
        return f"out of memory in {self._step!r} ({tried}): {NEED_LESS_MEMORY}"
