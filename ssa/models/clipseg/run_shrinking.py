"""A large mask on a coarser grid, from its runs: no pixel of it is made, and halves are counted exactly.

Lengths are counted in parts of a pixel: a pixel has as many down as the grid has rows, so a cell has as many
as the mask has rows, and so across. All of them are whole numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ssa.masks.trace import Trace
from ssa.types import BoolMask


def shrink_runs(mask: Trace, mask_hw: tuple[int, int], grid_hw: tuple[int, int]) -> BoolMask:
    """The mask on a grid (rows, columns) no finer than its own (h, w): as ``shrink_mask``.

    A cell is in when half of its area is, or, where that would leave nothing, any of it.
    """
    height, width = mask_hw
    inside: BoolMask = 2 * _covered(mask, mask_hw, grid_hw) >= height * width
    return inside if inside.any() else _touched(mask, mask_hw, grid_hw)


def _covered(
    mask: Trace, mask_hw: tuple[int, int], grid_hw: tuple[int, int]
) -> NDArray[np.float64]:
    """How many parts of each cell the mask covers, whole numbers up to h · w: (rows, columns)."""
    (height, width), (rows, columns) = mask_hw, grid_hw
    left, right = mask.columns * columns, (mask.columns + 1) * columns
    cell = left // width
    border = (cell + 1) * width
    # A column lies in one cell, or across the border of two.
    covered = np.zeros(grid_hw)
    for column, parts in (
        (cell, np.minimum(right, border) - left),
        (np.minimum(cell + 1, columns - 1), (right - border).clip(min=0)),
    ):
        for ends, sign in ((mask.stops, 1), (mask.starts, -1)):
            covered += sign * _above(ends * rows, column, parts, height, grid_hw)
    return covered


def _above(
    ends: NDArray[np.int64],
    column: NDArray[np.int64],
    parts: NDArray[np.int64],
    height: int,
    grid_hw: tuple[int, int],
) -> NDArray[np.float64]:
    """What strips, as wide as they have parts, cover from the top down to their ends: (rows, columns)."""
    rows, columns = grid_hw
    row, rest = np.divmod(ends, height)
    place, size = row * columns + column, (rows + 1) * columns
    strips, last = (
        np.bincount(place, weights, size).reshape(rows + 1, columns)
        for weights in (parts, parts * rest)
    )
    ending_below = strips[::-1].cumsum(0)[::-1][1:]
    covered: NDArray[np.float64] = ending_below * height + last[:-1]
    return covered


def _touched(mask: Trace, mask_hw: tuple[int, int], grid_hw: tuple[int, int]) -> BoolMask:
    """The cells in which pixels of the mask begin."""
    (height, width), (rows, columns) = mask_hw, grid_hw
    column = mask.columns * columns // width
    steps = np.zeros((rows + 1, columns), np.int64)
    np.add.at(steps, (mask.starts * rows // height, column), 1)
    np.subtract.at(steps, ((mask.stops - 1) * rows // height + 1, column), 1)
    touched: BoolMask = steps.cumsum(0)[:-1] > 0
    return touched
