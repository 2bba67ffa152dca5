"""Work ahead of who asks for it, in threads, in order, with only so much waiting."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

FULL_PX = 64_000_000
"""Of so many pixels (192 MB) a group of pictures that work or wait together is full."""

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
) -> Iterator[R]:
    """``function`` of each item, in the items' order, computed by ``threads`` threads.

    Results that nobody has taken yet, and those in work, are at most ``ahead`` + 1 together; ``items`` is
    read by the thread that asks, and no further than that. Each thread calls ``begin`` first. An exception
    of ``function`` comes out where its result would, and ends the work. However it ends, ``end`` is called
    before those still at work are waited for: it may tell them to hurry.
    """
    with ThreadPoolExecutor(threads, initializer=begin) as pool:
        waiting: deque[Future[R]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            end()
            for future in waiting:
                future.cancel()
