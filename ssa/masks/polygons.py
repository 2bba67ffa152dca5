"""Masks as polygons: outlines along the edges of pixels, holes and all.

A polygon is (n, 2) int64, x and y of its corners in pixels of the picture; pixel (x, y) is the square from
there to (x + 1, y + 1). Sides are level or upright in turn, the region lies on the right of a walker (on a
screen: clockwise), no corner lies on a straight line. Formats that know polygons know no holes, so a hole is
joined to its outline by a cut without width: the walker goes there and comes back on the same line.

``rings`` finds the corners and walks round them; here they become what formats ask for.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ssa.masks.rings import Path, Polygon, rings_of
from ssa.types import RLE

__all__ = ["Polygon", "contour_of", "polygons_of"]

# Whoever goes round clockwise, y down, has on the right: the direction turned by this.
_TO_THE_RIGHT = np.array([[0, 1], [-1, 0]])


def polygons_of(rle: RLE) -> list[Polygon]:
    """One polygon for each part of a mask (pixels that touch by a side), the leftmost first; [] if empty.

    By the even-odd rule they are exactly the mask, and so they are by pycocotools.
    Raises ``ValueError`` when the runs are malformed or don't fill the picture.
    """
    return [_simplified(outline) for outline in rings_of(rle)]


def contour_of(rle: RLE) -> Polygon:
    """One polygon for the whole mask, through the centres of its border pixels: (n, 2), whole numbers.

    ``cv2.fillPoly`` paints a polygon and the line around it: by this one exactly the mask, if that is in
    one part. Parts are joined by cuts without width, each from its first corner to the nearest of the parts
    before; the line of a cut is painted too. A mask one pixel wide has a polygon without area; an empty
    mask has none: (0, 2). Raises ``ValueError`` as ``polygons_of`` does.
    """
    return _joined([_shrunk(polygon) for polygon in polygons_of(rle)])


def _simplified(outline: Polygon) -> Polygon:
    """Without points that repeat the one before or lie on a straight line."""
    outline = outline[(outline != np.roll(outline, 1, axis=0)).any(axis=1)]
    heading = np.sign(np.roll(outline, -1, axis=0) - outline)
    bends: NDArray[np.bool_] = (heading != np.roll(heading, 1, axis=0)).any(axis=1)
    return outline[bends]


def _shrunk(polygon: Polygon) -> Polygon:
    """Through the centres of the border pixels: each by its column and row."""
    inwards = np.sign(np.roll(polygon, -1, axis=0) - polygon) @ _TO_THE_RIGHT
    # Both sides of a corner move by half a pixel, and into a pixel it falls.
    shrunk: Polygon = (2 * polygon + inwards + np.roll(inwards, 1, axis=0)) // 2
    return shrunk


def _joined(polygons: Sequence[Polygon]) -> Polygon:
    """One polygon of several, by cuts without width."""
    if not polygons:
        return np.empty((0, 2), dtype=np.int64)
    points = np.concatenate(polygons)
    stops = np.cumsum([len(polygon) for polygon in polygons])
    following = np.arange(1, len(points) + 1)
    following[stops - 1] = np.append(0, stops[:-1])
    path = Path(points, following)
    path.join(*_cuts(points, stops[:-1].tolist()))
    return path.polygons()[0]


def _cuts(points: Polygon, starts: list[int]) -> tuple[list[int], list[int]]:
    """The nearest of all points before each start, and the starts."""
    x, y = points.T.copy()  # Each in one piece of memory, for speed.
    places = [
        int(((x[:start] - x[start]) ** 2 + (y[:start] - y[start]) ** 2).argmin())
        for start in starts
    ]
    return places, starts
