"""Work ahead: in order, bounded, and what fails comes out in its place."""

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssa.ahead import map_ahead


@given(st.lists(st.integers(), max_size=30), st.integers(1, 4), st.integers(0, 6))
def test_it_is_map(items: list[int], threads: int, ahead: int) -> None:
    assert list(map_ahead(lambda one: one * 2, items, threads, ahead)) == [one * 2 for one in items]


def test_it_reads_no_further_than_it_may() -> None:
    read = []

    def items() -> Iterator[int]:
        for number in range(100):
            read.append(number)
            yield number

    results = map_ahead(str, items(), threads=2, ahead=3)
    assert next(results) == "0"
    assert len(read) == 4
    assert next(results) == "1"
    assert len(read) == 5


def test_threads_work_at_the_same_time() -> None:
    meeting = threading.Barrier(
        3, timeout=10
    )  # one thread alone would wait for the others for ever
    assert len(list(map_ahead(lambda _: meeting.wait(), range(3), threads=3, ahead=3))) == 3


def test_every_thread_begins_first() -> None:
    begun: set[int] = set()
    seen = map_ahead(
        lambda _: threading.get_ident() in begun,
        range(8),
        threads=3,
        ahead=3,
        begin=lambda: begun.add(threading.get_ident()),
    )
    assert all(seen)


def test_what_fails_comes_out_in_its_place() -> None:
    results = map_ahead(lambda one: 6 // one, [3, 2, 0, 1], threads=2, ahead=2)
    assert [next(results), next(results)] == [2, 3]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_what_fails_to_come_is_told_after_what_came() -> None:
    def items() -> Iterator[int]:
        yield from (1, 2, 3)
        raise KeyError("four")

    results = map_ahead(str, items(), threads=2, ahead=4)
    assert [next(results) for _ in range(3)] == ["1", "2", "3"]
    with pytest.raises(KeyError, match="four"):
        next(results)
