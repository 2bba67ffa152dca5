"""Masks on coarser grids, from runs, against their areas counted part by part."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ssa.masks.run_lengths import encode
from ssa.masks.trace import Trace
from ssa.models.clipseg.run_shrinking import shrink_runs
from ssa.models.clipseg.wins import shrink_mask
from ssa.types import BoolMask

SIDES = st.integers(1, 24)
MASKS = st.tuples(SIDES, SIDES).flatmap(lambda hw: arrays(np.bool_, hw))


def shrunk(mask: BoolMask, grid_hw: tuple[int, int]) -> BoolMask:
    height, width = mask.shape
    return shrink_runs(Trace.of(encode(mask)), (height, width), grid_hw)


@given(MASKS, st.data())
def test_a_cell_is_in_when_half_of_it_is(mask: BoolMask, data: st.DataObject) -> None:
    rows, columns = (data.draw(st.integers(1, side)) for side in mask.shape)
    parts = mask.repeat(rows, axis=0).repeat(columns, axis=1)
    cells = parts.reshape(rows, mask.shape[0], columns, mask.shape[1]).sum((1, 3))
    found = shrunk(mask, (rows, columns))
    if (2 * cells >= mask.size).any():
        np.testing.assert_array_equal(found, 2 * cells >= mask.size)
    # Pixels' sums of float32 fall to either side of a half.
    unclear = 2 * cells == mask.size
    if not unclear.any():
        np.testing.assert_array_equal(found, shrink_mask(mask, (rows, columns)))


def test_a_line_survives_a_hundredfold_reduction() -> None:
    mask = np.zeros((3000, 3000), np.bool_)
    mask[:, 1234] = True
    rows, columns = np.nonzero(shrunk(mask, (30, 30)))
    assert list(rows) == list(range(30))
    assert set(columns) == {12}


def test_nothing_stays_nothing() -> None:
    assert not shrunk(np.zeros((9, 7), np.bool_), (3, 2)).any()
