"""Outlines as point lists: ovals, rounded polygons, smooth curves and thick lines.

Outlines are shared between drawings and must not be changed in place.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""An outline: (N, 2) x and y in units, y downwards."""

_TURN: Final = np.linspace(0.0, 2.0 * math.pi, 56, endpoint=False)
_CIRCLE: Final[Points] = np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1)
_STEPS: Final = np.linspace(0.0, 1.0, 9, endpoint=False)[:, None, None]
_HALF_TURN: Final = np.linspace(-math.pi / 2, math.pi / 2, 9)[1:-1]
_CAP: Final[Points] = np.stack([np.cos(_HALF_TURN), np.sin(_HALF_TURN)], axis=1)
_CORNER: Final = np.linspace(0.0, 1.0, 7)[:, None, None]


def points(*pairs: tuple[float, float]) -> Points:
    """Return the (N, 2) outline through `pairs` of x and y."""
    return np.array(pairs, dtype=np.float64)


@lru_cache(maxsize=4096)
def oval(x: float, y: float, rx: float, ry: float, angle: float = 0.0) -> Points:
    """Return an ellipse around (x, y), turned clockwise by `angle` radians."""
    outline: Points = _CIRCLE * (rx, ry)
    if angle:
        cosine, sine = math.cos(angle), math.sin(angle)
        outline = outline @ np.array([[cosine, sine], [-sine, cosine]])
    return np.asarray(outline + np.array((x, y)))


@lru_cache(maxsize=4096)
def box(x0: float, y0: float, x1: float, y1: float, radius: float = 0.0) -> Points:
    """Return a rectangle, with corners rounded by `radius`."""
    corners = points((x0, y0), (x1, y0), (x1, y1), (x0, y1))
    return rounded(corners, radius) if radius else corners


def rounded(corners: Points, radius: float) -> Points:
    """Return the polygon (N, 2) with every corner replaced by a small curve."""
    before, after = np.roll(corners, 1, axis=0) - corners, np.roll(corners, -1, axis=0) - corners
    to_before = np.hypot(before[:, 0], before[:, 1])[:, None]
    to_after = np.hypot(after[:, 0], after[:, 1])[:, None]
    # A curve may use at most half of each side, or neighbouring curves would cross.
    start = corners + before * np.minimum(0.5, radius / to_before)
    end = corners + after * np.minimum(0.5, radius / to_after)
    t = _CORNER
    curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * corners + t**2 * end
    return curve.transpose(1, 0, 2).reshape(-1, 2)


def smooth(knots: Points) -> Points:
    """Return a closed Catmull-Rom curve through `knots` (N, 2)."""
    p0, p1 = np.roll(knots, 1, axis=0), knots
    p2, p3 = np.roll(knots, -1, axis=0), np.roll(knots, -2, axis=0)
    t = _STEPS
    curve = 0.5 * (
        2 * p1
        + (p2 - p0) * t
        + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
        + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )
    return curve.transpose(1, 0, 2).reshape(-1, 2)


def stroke(path: Sequence[tuple[float, float]], width: float, end: float = 0.0) -> Points:
    """Return the outline of a thick round-ended line along `path`, tapering to `end` if given."""
    return _stroke(tuple(path), width, end or width)


@lru_cache(maxsize=4096)
def _stroke(path: tuple[tuple[float, float], ...], width: float, end: float) -> Points:
    line = np.array(path, dtype=np.float64)
    along = np.empty_like(line)
    along[0], along[-1] = line[1] - line[0], line[-1] - line[-2]
    along[1:-1] = line[2:] - line[:-2]
    along /= np.hypot(along[:, 0], along[:, 1])[:, None]
    half = np.linspace(width / 2, end / 2, len(line))[:, None]
    forward = along * half
    side = forward[:, ::-1] * (-1.0, 1.0)
    front = line[-1] + _CAP @ np.stack([forward[-1], side[-1]])
    back = line[0] - _CAP @ np.stack([forward[0], side[0]])
    return np.concatenate([line - side, front, (line + side)[::-1], back])
