"""Large masks on coarser grids, from their runs: no pixel of them is made, and halves are counted exactly.

Lengths are counted in parts of a pixel: a pixel has as many down as the grid has rows, so a cell has as many
as the mask has rows, and so across. All of them are whole numbers.

What is said of a grid's cells is said in steps: how much more, or less, it is in a cell than in the one
above. A run makes a few of them however long it is, and summed up down the columns they are the cells' own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssa.masks.trace import Trace
from ssa.types import BoolMask

Numbers = NDArray[np.int64]

Steps = tuple[Numbers, Numbers]
"""Places of cells and what is added from each on down, (n,) both; a place may come several times."""

# A run adds from where it starts, and takes the same away from where it stops.
SIGNS = np.array([[1], [-1]])


@dataclass(frozen=True, slots=True)
class Grids:
    """Grids no finer than the masks that they lie over: one for all runs, or (n,) numbers, one a run.

    ``height`` and ``width`` are the mask's, ``rows`` and ``columns`` the grid's. Its cells have places from
    ``corner`` on: ``pitch`` more for each column, which leaves one below its last row, and 1 for each row.
    """

    height: int | Numbers
    width: int | Numbers
    rows: int | Numbers
    columns: int | Numbers
    corner: int | Numbers
    pitch: int


def shrink_runs(mask: Trace, mask_hw: tuple[int, int], grid_hw: tuple[int, int]) -> BoolMask:
    """The mask on a grid (rows, columns) no finer than its own (h, w): as ``shrink_mask``.

    A cell is in when half of its area is, or, where that would leave nothing, any of it.
    """
    grids = Grids(*mask_hw, *grid_hw, 0, grid_hw[0] + 1)
    inside = 2 * _summed(covering(mask, grids), grid_hw) >= mask_hw[0] * mask_hw[1]
    if not inside.any():
        inside = _summed(beginning(mask, grids), grid_hw) > 0
    return np.ascontiguousarray(inside)


def covering(runs: Trace, grids: Grids) -> Steps:
    """Of how many parts of each cell the runs cover: height · width where they cover all of it."""
    left = runs.columns * grids.columns
    column = left // grids.width
    row, above = np.divmod(np.stack([runs.starts, runs.stops]) * grids.rows, grids.height)
    place = grids.corner + column * grids.pitch + row
    # A pixel lies in one cell or across the border of two, and so does the end of a run.
    first = np.minimum((column + 1) * grids.width - left, grids.columns)
    found = [
        _real(place + beside + under, across * down * SIGNS)
        for beside, across in ((0, first), (grids.pitch, grids.columns - first))
        for under, down in ((0, grids.height - above), (1, above))
    ]
    places, changes = (np.concatenate(part) for part in zip(*found, strict=True))
    return places, changes


def _real(places: Numbers, changes: Numbers) -> Steps:
    real = changes != 0
    return places[real], changes[real]


def beginning(runs: Trace, grids: Grids) -> Steps:
    """Of how many runs have a pixel that begins in each cell."""
    column = runs.columns * grids.columns // grids.width
    first, last = (row * grids.rows // grids.height for row in (runs.starts, runs.stops - 1))
    places = grids.corner + column * grids.pitch + np.stack([first, last + 1])
    return places.ravel(), np.broadcast_to(SIGNS, places.shape).ravel()


def _summed(steps: Steps, grid_hw: tuple[int, int]) -> NDArray[np.float64]:
    """Each cell's own number, (rows, columns)."""
    rows, columns = grid_hw
    by_column = np.bincount(*steps, columns * (rows + 1)).reshape(columns, rows + 1)
    cells: NDArray[np.float64] = by_column.cumsum(1)[:, :-1].T
    return cells
