"""The removal of specks and pinholes, found on a mask's runs: the work goes with its edge, not its pixels.

After segment_anything, and equal to it: pieces hang together by 8-connectivity, holes are filled first, a
piece of background at the picture's border counts as a hole, and a region never vanishes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ssa.masks.trace import Trace


def cleaned(mask: Trace, height: int, width: int, min_area: int) -> Trace:
    """Fill holes and drop islands of fewer than ``min_area`` pixels; the mask itself if it has none.

    If every island is small the largest stays. The mask is one of a picture of ``height`` × ``width``.
    """
    return _without_islands(_without_holes(mask, height, width, min_area), height, width, min_area)


def pieces_of(mask: Trace, height: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Which piece each run belongs to, (n,) from 0, and the pixels of each piece."""
    # A column's runs lie apart by a pixel at least, so two of neighbouring columns hang together where one
    # begins no later than the other stops: both are sorted by column and row.
    pitch = height + 1
    starts, stops = mask.ends(pitch)
    first = np.searchsorted(stops, starts + pitch)
    counts = np.searchsorted(starts, stops + pitch, side="right") - first
    run = np.repeat(np.arange(len(mask)), counts)
    beside = np.arange(counts.sum()) + np.repeat(first - (counts.cumsum() - counts), counts)
    touching = coo_array((np.ones(len(run), np.bool_), (run, beside)), shape=(len(mask),) * 2)
    count, piece = connected_components(touching, directed=False)
    sizes = np.bincount(piece, mask.stops - mask.starts, count)
    return piece, sizes.astype(np.int64)


def _without_holes(mask: Trace, height: int, width: int, min_area: int) -> Trace:
    outside = _outside(mask, height, width)
    piece, sizes = pieces_of(outside, height)
    small = (sizes < min_area)[piece]
    if not small.any():
        return mask
    holes = outside[small]
    return _together(mask, holes, height)


def _without_islands(mask: Trace, height: int, width: int, min_area: int) -> Trace:
    piece, sizes = pieces_of(mask, height)
    large = sizes >= min_area
    if large.all():
        return mask
    if not large.any():
        largest = piece[_first_seen(mask, width, sizes[piece] == sizes.max())]
        large[largest] = True
    return mask[large[piece]]


def _first_seen(mask: Trace, width: int, among: NDArray[np.bool_]) -> int:
    """Of some runs the one that OpenCV's scan comes to first, by squares of 2 x 2, row by row."""
    places = np.flatnonzero(among)
    squares = mask.starts[places] // 2 * width + mask.columns[places] // 2
    return int(places[squares.argmin()])


def _outside(mask: Trace, height: int, width: int) -> Trace:
    """What the mask leaves of its picture."""
    runs = mask.runs(height, width)
    stops = runs.cumsum()
    starts = stops - runs
    real = runs[::2] > 0
    return Trace.cut(starts[::2][real], stops[::2][real], height)


def _together(one: Trace, other: Trace, height: int) -> Trace:
    """The pixels of both, which share none."""
    starts, stops = map(np.concatenate, zip(one.ends(height), other.ends(height), strict=True))
    order = starts.argsort()
    starts, stops = starts[order], stops[order]
    touch = starts[1:] == stops[:-1]
    return Trace.cut(starts[np.append(True, ~touch)], stops[np.append(~touch, True)], height)
