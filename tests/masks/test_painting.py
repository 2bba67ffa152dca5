"""Overlap resolved, against a pixel-by-pixel reading of the rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from ssa.masks.painting import NOBODY, paint, painting_order
from ssa.masks.run_lengths import encode
from ssa.types import RLE, BoolMask

SIDES = st.integers(1, 12)
PILES = st.tuples(st.integers(0, 5), SIDES, SIDES).flatmap(lambda shape: arrays(np.bool_, shape))


def top_of_each(masks: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The rule for one pixel after the other: of the masks on it the smallest, of equal ones the last."""
    _, height, width = masks.shape
    found = np.full((height, width), NOBODY)
    for row in range(height):
        for column in range(width):
            on_it = [(mask.sum(), -i) for i, mask in enumerate(masks) if mask[row, column]]
            found[row, column] = -min(on_it)[1] if on_it else NOBODY
    return found


@given(PILES)
def test_smaller_masks_lie_on_top_and_of_equal_ones_the_later(masks: NDArray[np.bool_]) -> None:
    painted = paint([encode(mask) for mask in masks], *masks.shape[1:])
    np.testing.assert_array_equal(painted, top_of_each(masks))
    assert painted.dtype == np.int32


def test_a_part_shows_on_its_whole_whatever_the_order() -> None:
    whole, part = square(0, 6), square(2, 4)
    for masks in ([whole, part], [part, whole]):
        painted = paint([encode(mask) for mask in masks], 6, 6)
        assert (painted == (1 if masks[1] is part else 0)).sum() == 4


def square(start: int, stop: int) -> BoolMask:
    mask = np.zeros((6, 6), np.bool_)
    mask[start:stop, start:stop] = True
    return mask


def test_no_masks_leave_every_pixel_to_nobody() -> None:
    np.testing.assert_array_equal(paint([], 2, 3), np.full((2, 3), NOBODY))


def test_the_order_is_from_large_to_small_and_stable() -> None:
    assert painting_order([5, 9, 5, 1, 9]) == [1, 4, 0, 2, 3]
    assert painting_order([]) == []


# As many pixels, but turned on its side.
@pytest.mark.parametrize("size", [(4, 3), (3, 5)])
def test_a_mask_of_another_size_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="expected masks of the picture's size, 3 × 4; got"):
        paint([encode(np.ones(size, np.bool_))], 3, 4)


# The third: 5, -1 and 8 pixels, 12 in all.
@pytest.mark.parametrize("counts", ["5", "o5", "5O8", "?", ""])
def test_runs_that_do_not_fill_the_picture_are_refused(counts: str) -> None:
    with pytest.raises(ValueError, match=r"runs cover|pixels long|run lengths"):
        paint([RLE(3, 4, counts)], 3, 4)
