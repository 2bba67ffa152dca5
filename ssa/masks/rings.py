"""The edges of a mask as rings of corners: found from its runs, walked round, holes joined to their parts.

A corner is where the mixed difference of the mask, ∂x∂y, isn't 0. It follows from the runs, so no pixel is
ever looked at: the work goes with the length of the edge. Corners and directions are those of ``polygons``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssa.masks.trace import Trace
from ssa.types import RLE

Polygon = NDArray[np.int64]


def rings_of(rle: RLE) -> list[Polygon]:
    """The outline of each part with its holes joined to it; it may have points too many."""
    runs, pitch = Trace.of(rle), rle.height + 1
    corners = _corners(runs, pitch)
    path = Path(corners.points, _following(corners))
    # The lowest corner of a ring is its upper left one: there a part begins, or a hole.
    holes = [ring[0] for ring in path.rings() if corners.turns[ring[0]] < 0]
    if holes:
        _join_holes(path, holes, corners, runs, pitch)
    return path.polygons()


class Path:
    """Walks over points: who follows whom. All of them are rings."""

    def __init__(self, points: Polygon, following: NDArray[np.int64]) -> None:
        self._points = points
        self._following: list[int] = following.tolist()

    def rings(self) -> list[list[int]]:
        """The numbers of the points, ring by ring, each from its lowest on; by these lowest."""
        following, seen, rings = self._following, bytearray(len(self._following)), []
        for lowest in range(len(following)):
            ring, at = [], lowest
            while not seen[at]:
                seen[at] = 1
                ring.append(at)
                at = following[at]
            if ring:
                rings.append(ring)
        return rings

    def polygons(self) -> list[Polygon]:
        """The points of each ring."""
        return [self._points[ring] for ring in self.rings()]

    def insert(self, points: Polygon, after: Iterable[int]) -> range:
        """Put new points behind others, one after the other; gives their numbers."""
        new = self._add(points)
        for number, before in zip(new, after, strict=True):
            self._following[number] = self._following[before]
            self._following[before] = number
        return new

    def join(self, places: Sequence[int], starts: Sequence[int]) -> None:
        """Make one of two rings, pair by pair: from the place to the start, round, and back to the place."""
        following = self._following
        homes, ends = self._add(self._points[places]), self._add(self._points[starts])
        for place, start, home, end in zip(places, starts, homes, ends, strict=True):
            following[end], following[start] = following[start], home
            following[home], following[place] = following[place], end

    def _add(self, points: Polygon) -> range:
        count = len(self._points)
        self._points = np.concatenate([self._points, points])
        self._following.extend(range(count, len(self._points)))
        return range(count, len(self._points))


@dataclass(frozen=True, slots=True)
class _Corners:
    """Corners of a mask, by x and then y; where two pixels touch by a corner alone, it is there twice.

    ``points`` is (n, 2), ``turns`` (n,) the mixed difference there, 1 or -1, or 2 or -2 where it is there
    twice. ``level`` (n / 2, 2) are the level sides by y and then x: numbers of a left and a right corner.
    """

    points: Polygon
    turns: NDArray[np.int64]
    level: NDArray[np.int64]


def _corners(runs: Trace, pitch: int) -> _Corners:
    # Down a column the mask changes by 1 where a run starts and by -1 where it stops. From the column on its
    # left to this one the change is by as much, from this one to that on its right by its opposite.
    start, stop = runs.ends(pitch)
    places = np.concatenate([start, stop, start + pitch, stop + pitch])
    changes = np.repeat([1, -1, -1, 1], len(start))
    unique, inverse = np.unique(places, return_inverse=True)
    turns = np.bincount(inverse, changes, len(unique)).astype(np.int64)
    x, y = np.divmod(np.repeat(unique, abs(turns)), pitch)
    turns = np.repeat(turns, abs(turns))
    return _Corners(np.stack([x, y], axis=1), turns, _level(x, y, turns))


def _level(
    x: NDArray[np.int64], y: NDArray[np.int64], turns: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The level sides.

    Of a corner that is there twice, the first is the foot of the side above it and the second the head of
    that below. Pixels that touch there stay apart: the first takes the side on the left where they lie
    upper left and lower right, else the side on the right.
    """
    rank = np.arange(len(turns)) * np.where(turns == -2, -1, 1)
    return np.lexsort((rank, x, y)).reshape(-1, 2)


def _following(corners: _Corners) -> NDArray[np.int64]:
    """The next corner of each, with the region on the right."""
    following = np.empty(len(corners.points), dtype=np.int64)
    upright = np.arange(len(corners.points)).reshape(-1, 2)
    # Below and to the right of a side's first corner the region begins (then go right, or up) or ends.
    for sides, begins in ((corners.level, True), (upright, False)):
        near, far = sides.T
        onward = (corners.turns[near] > 0) == begins
        following[np.where(onward, near, far)] = np.where(onward, far, near)
    return following


def _join_holes(
    path: Path, holes: Sequence[int], corners: _Corners, runs: Trace, pitch: int
) -> None:
    """Join each hole, given by its upper left corner, to the nearest side straight above it."""
    x, y = corners.points[holes].T
    run_places, _ = runs.ends(pitch)
    # Both columns beside the line upwards are inside the region, until the first of their runs begins.
    tops = [
        runs.starts[np.searchsorted(run_places, column * pitch + y) - 1] for column in (x - 1, x)
    ]
    above = np.stack([x, np.maximum(*tops)], axis=1)
    left_ends = corners.points[corners.level[:, 0]]
    by_row = [1, int(corners.points[:, 0].max()) + 1]
    side = np.searchsorted(left_ends @ by_row, above @ by_row, side="right") - 1
    # Such a side goes right. Holes come by x: the last first, so that each goes behind the side's left end.
    places = path.insert(above[::-1], corners.level[side, 0].tolist()[::-1])
    path.join(places[::-1], holes)
