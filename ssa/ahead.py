"""Work ahead of who asks for it, in threads, in order, with only so much waiting."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

FULL_PX = 64_000_000
"""Of so many pixels (192 MB) a group of pictures that work or wait together is full."""

LANES_ON_A_GPU = 2
"""Groups at work at once. While the GPU works for one, the other cuts crops, finds nouns and writes JSON."""

T = TypeVar("T")
R = TypeVar("R")


def nothing() -> None:
    """What is done first and last, unless it is told."""


def map_ahead(
    function: Callable[[T], R],
    items: Iterable[T],
    threads: int,
    ahead: int,
    begin: Callable[[], None] = nothing,
    end: Callable[[], None] = nothing,
) -> Generator[R, None, None]:
    """``function`` of each item, in the items' order, computed by ``threads`` threads.

    Results that nobody has taken yet, and those in work, are at most ``ahead`` + 1 together; ``items`` is
    read by the thread that asks, and no further than that. Each thread calls ``begin`` first. An exception
    of ``function`` comes out where its result would, one of ``items`` after all results; both end the work.
    However it ends, ``end`` is called before those still at work are waited for: it may tell them to hurry.
    """
    faults: list[Exception] = []
    with ThreadPoolExecutor(threads, initializer=begin) as pool:
        waiting: deque[Future[R]] = deque()
        try:
            for item in _until_fault(items, faults):
                waiting.append(pool.submit(function, item))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
            if faults:
                raise faults[0]
        finally:
            end()
            for future in waiting:
                future.cancel()


def _until_fault(items: Iterable[T], faults: list[Exception]) -> Iterator[T]:
    try:
        yield from items
    except Exception as error:
        faults.append(error)
