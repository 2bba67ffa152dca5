"""Batches that shrink when memory runs out: the same results in the same order, nothing done twice."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssa.batching import PATIENCE, BatchLimit
from ssa.errors import OutOfMemory, SSAError


class Doubling:
    """Doubles numbers, as long as there are at most ``room`` of them; keeps the sizes it was asked for."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.tried: list[int] = []
        self.done: list[int] = []

    def __call__(self, batch: Sequence[int]) -> list[int]:
        self.tried.append(len(batch))
        if len(batch) > self.room:
            raise OutOfMemory("full")
        self.done += batch
        return [2 * item for item in batch]


def run(limit: BatchLimit, work: Doubling, items: Sequence[int], size: int) -> list[int]:
    return [result for _, results in limit.run(work, items, size) for result in results]


@given(
    count=st.integers(0, 40),
    size=st.integers(1, 50),
    rooms=st.lists(st.integers(1, 50), min_size=1, max_size=3),
)
def test_room_changes_neither_results_nor_order(count: int, size: int, rooms: list[int]) -> None:
    limit, items = BatchLimit("work"), list(range(count))
    for room in rooms:
        work = Doubling(room)
        assert run(limit, work, items, size) == [2 * item for item in items]
        assert work.done == items
        assert all(tried <= size for tried in work.tried)


def test_without_want_of_memory_batches_are_as_asked() -> None:
    work = Doubling(room=100)
    run(BatchLimit("work"), work, range(10), 4)
    assert work.tried == [4, 4, 2]


def test_a_failed_batch_is_halved_until_it_fits_and_the_size_is_kept() -> None:
    limit, work = BatchLimit("work"), Doubling(room=3)
    run(limit, work, range(16), 16)
    assert work.tried == [16, 8, 4, 2, 2, 2, 2, 2, 2, 2, 2]
    work.tried.clear()
    run(limit, work, range(5), 16)
    assert work.tried == [2, 2, 1]
    work.tried.clear()
    run(limit, work, range(2), 1)
    assert work.tried == [1, 1]


def test_the_size_grows_back_after_a_while_and_more_slowly_where_that_fails() -> None:
    limit, work = BatchLimit("work"), Doubling(room=4)
    run(limit, work, range(8), 8)
    for waited in (PATIENCE, 2 * PATIENCE):
        work.tried.clear()
        run(limit, work, range(4 * waited), 8)
        assert set(work.tried) == {4}
        work.tried.clear()
        run(limit, work, range(8), 8)
        assert work.tried == [8, 4, 4]
    work.room = 100
    run(limit, work, range(4 * 4 * PATIENCE), 8)
    work.tried.clear()
    run(limit, work, range(16), 8)
    assert work.tried == [8, 8]


def test_batches_already_done_stay_done() -> None:
    limit, work = BatchLimit("work"), Doubling(room=4)
    batches = limit.run(work, range(12), 4)
    assert next(batches) == (range(4), [0, 2, 4, 6])
    work.room = 2
    assert [list(batch) for batch, _ in batches] == [[4, 5], [6, 7], [8, 9], [10, 11]]
    assert work.done == list(range(12))


def test_a_batch_is_worked_on_when_it_is_asked_for() -> None:
    work = Doubling(room=4)
    batches = BatchLimit("work").run(work, range(12), 4)
    assert work.tried == []
    next(batches)
    assert work.tried == [4]


def test_one_item_alone_that_does_not_fit_ends_the_work_and_is_forgotten() -> None:
    limit, work = BatchLimit("captions"), Doubling(room=0)
    with pytest.raises(
        OutOfMemory, match=r"'captions' \(first 5 at once, at last one alone\): try"
    ):
        run(limit, work, range(9), 5)
    assert work.tried == [5, 2, 1]
    with pytest.raises(SSAError, match=r"'captions' \(one at a time\)"):
        run(limit, work, range(1), 1)
    work.tried.clear()
    work.room = 5
    run(limit, work, range(5), 5)
    assert work.tried == [5]


def test_pythons_own_memory_error_counts_and_others_pass() -> None:
    def work(batch: Sequence[int]) -> int:
        if len(batch) > 1:
            raise MemoryError
        return batch[0]

    assert [result for _, result in BatchLimit("work").run(work, [7, 8], 2)] == [7, 8]

    def broken(batch: Sequence[int]) -> int:
        raise RuntimeError("another thing")

    with pytest.raises(RuntimeError, match="another thing"):
        list(BatchLimit("work").run(broken, [7, 8], 2))


def test_an_array_is_cut_into_rows() -> None:
    points = np.arange(10.0).reshape(5, 2)
    batches = list(BatchLimit("sam").run(lambda rows: rows.sum(), points, 2))
    assert [batch.shape for batch, _ in batches] == [(2, 2), (2, 2), (1, 2)]
    assert sum(total for _, total in batches) == points.sum()


def test_sizes_under_one_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 item, got 0"):
        list(BatchLimit("work").run(Doubling(1), [1], 0))


def test_the_log_says_once_what_happened(caplog: pytest.LogCaptureFixture) -> None:
    limit = BatchLimit("clip")
    with caplog.at_level(logging.INFO, "ssa"):
        run(limit, Doubling(room=4), range(16), 16)
        run(limit, Doubling(room=2), range(16), 16)
    assert caplog.messages == ["clip: out of memory at 16 at once, now at most 4"]


def test_what_a_failed_batch_held_is_free_before_the_next_try() -> None:
    held: list[weakref.ref[np.ndarray]] = []

    def work(batch: Sequence[int]) -> bool:
        was_free = not held or held[-1]() is None
        activations = np.zeros(len(batch))
        held.append(weakref.ref(activations))
        if len(batch) > 1:
            raise OutOfMemory("full")
        return was_free

    assert [free for _, free in BatchLimit("work").run(work, range(4), 4)] == [True] * 4


def test_a_result_that_the_caller_has_dropped_is_not_kept() -> None:
    results: list[weakref.ref[np.ndarray]] = []

    def work(batch: Sequence[int]) -> np.ndarray:
        assert all(result() is None for result in results)
        result = np.zeros(len(batch))
        results.append(weakref.ref(result))
        return result

    batches = BatchLimit("work").run(work, range(4), 1)
    for _ in range(4):
        next(batches)
    assert len(results) == 4
