"""Rings of corners: what every mask's edge fulfils, whatever the mask."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ssa.masks import run_lengths as masks
from ssa.masks.rings import Path, rings_of
from ssa.types import RLE, BoolMask

MASKS = st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(lambda hw: arrays(np.bool_, hw))


@given(MASKS)
def test_rings_enclose_as_many_pixels_as_the_mask_has(mask: BoolMask) -> None:
    doubled = 0
    for ring in rings_of(masks.encode(mask)):
        (x, y), (onward_x, onward_y) = ring.T, np.roll(ring, -1, axis=0).T
        assert ((x == onward_x) | (y == onward_y)).all()
        doubled += int((x * onward_y - onward_x * y).sum())
    # Clockwise on a screen is positive, y being down.
    assert doubled == 2 * mask.sum()


@given(MASKS)
def test_there_is_one_ring_for_each_part(mask: BoolMask) -> None:
    assert len(rings_of(masks.encode(mask))) == parts_of(mask)


def parts_of(mask: BoolMask) -> int:
    """How many groups of pixels that touch by a side: one after the other is filled and counted."""
    left, count = {(int(row), int(column)) for row, column in np.argwhere(mask)}, 0
    while left:
        at, count = [left.pop()], count + 1
        while at:
            row, column = at.pop()
            beside = {(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)}
            at += beside & left
            left -= beside
    return count


def test_runs_that_do_not_fill_the_picture_are_refused() -> None:
    with pytest.raises(ValueError, match="cover 8 pixels, the picture has 2 x 5"):
        rings_of(RLE(2, 5, masks.encode(np.eye(2, 4, dtype=np.bool_)).counts))


def test_a_path_takes_in_points_and_other_rings() -> None:
    points = np.array([[0, 0], [4, 0], [4, 4], [1, 1], [2, 1], [2, 2]])
    path = Path(points, np.array([1, 2, 0, 4, 5, 3]))
    assert path.rings() == [[0, 1, 2], [3, 4, 5]]
    (place,) = path.insert(np.array([[2, 0]]), after=[0])
    assert path.rings()[0] == [0, place, 1, 2]
    path.join([place], [3])
    (joined,) = path.polygons()
    assert joined.tolist() == [
        *([0, 0], [2, 0], [1, 1], [2, 1], [2, 2], [1, 1], [2, 0]),
        *([4, 0], [4, 4]),
    ]
