"""Runs within columns against masks as pixels."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ssa.masks import run_lengths as masks
from ssa.masks.trace import Trace
from ssa.types import BoolMask

SIDES = st.integers(1, 20)
MASKS = st.tuples(SIDES, SIDES).flatmap(lambda hw: arrays(np.bool_, hw))


@given(MASKS)
def test_a_trace_is_the_masks_columns(mask: BoolMask) -> None:
    rle = masks.encode(mask)
    trace = Trace.of(rle)
    drawn = np.zeros(mask.shape, np.bool_)
    for column, start, stop in zip(trace.columns, trace.starts, trace.stops, strict=True):
        assert 0 <= start < stop <= len(mask)
        assert not drawn[max(start - 1, 0) : stop + 1, column].any()
        drawn[start:stop, column] = True
    np.testing.assert_array_equal(drawn, mask)
    assert trace.rle(*mask.shape) == rle
    assert trace.area_px == mask.sum()
    assert len(trace) == len(trace.columns)
    if len(trace):
        x0, y0, x1, y1 = trace.box
        assert (x0, y0, x1 - x0, y1 - y0) == masks.box_of(mask)


def test_some_runs_are_a_trace_too() -> None:
    mask = np.array([[1, 0, 1], [0, 1, 1], [1, 0, 1]], np.bool_)
    trace = Trace.of(masks.encode(mask))
    left = trace[trace.columns < 2]
    np.testing.assert_array_equal(masks.decode(left.rle(3, 3)), mask & [True, True, False])


def test_ends_are_sorted_by_column_and_row() -> None:
    trace = Trace.of(masks.encode(np.array([[1, 0], [0, 1], [1, 1]], np.bool_)))
    starts, stops = trace.ends(10)
    assert starts.tolist() == [0, 2, 11]
    assert stops.tolist() == [1, 3, 13]


def test_a_box_filled_is_all_of_its_pixels() -> None:
    mask = np.zeros((7, 9), np.bool_)
    mask[1:4, 2:8] = True
    assert Trace.filling((2, 1, 8, 4)).rle(7, 9) == masks.encode(mask)


@given(st.lists(MASKS, min_size=1, max_size=4))
def test_joined_traces_are_one_after_the_other(drawn: list[BoolMask]) -> None:
    traces = [Trace.of(masks.encode(mask)) for mask in drawn]
    joined, start = Trace.joined(traces), 0
    for one in traces:
        part = joined[
            (np.arange(len(joined)) >= start) & (np.arange(len(joined)) < start + len(one))
        ]
        assert part.ends(100)[0].tolist() == one.ends(100)[0].tolist()
        assert part.ends(100)[1].tolist() == one.ends(100)[1].tolist()
        start += len(one)
    assert len(joined) == start
