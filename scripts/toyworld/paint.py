"""What shapes are painted with: plain colours and gradients, and their colours at a shape's place."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from toyworld import textures
from toyworld.colours import Colour

_TABLE: Final = np.linspace(0.0, 1.0, 256, dtype=np.float32)[:, None, None]


@dataclass(frozen=True, slots=True)
class Fade:
    """A straight gradient over a shape's bounding box, downwards or (`across`) rightwards."""

    start: Colour
    end: Colour
    across: bool = False
    grain: float = 0.0


@dataclass(frozen=True, slots=True)
class Glow:
    """A round gradient from `inner` at `focus` (shares of the bounding box) to `outer`."""

    inner: Colour
    outer: Colour
    focus: tuple[float, float] = (0.36, 0.3)
    grain: float = 0.0


Paint = Colour | Fade | Glow


@dataclass(frozen=True, slots=True)
class Box:
    """A shape's place on the supersampled grid: the piece inside, and the bounds before that."""

    rows: slice
    columns: slice
    bounds: tuple[float, float, float, float]


def colours_of(paint: Paint, place: Box, scale: float) -> NDArray[np.uint8]:
    """Return the paint's colours over `place`, (h, w, 3) uint8; `scale` is the grid's pixels per unit."""
    rows = place.rows.stop - place.rows.start
    columns = place.columns.stop - place.columns.start
    if isinstance(paint, tuple):
        return spread(np.array([[paint]], np.uint8), rows, columns)
    if isinstance(paint, Fade):
        across, down = offsets(place, (0.0, 0.0))
        share = np.clip(across if paint.across else down, 0.0, 1.0)[:, :, None]
        start, end = np.array(paint.start, np.float32), np.array(paint.end, np.float32)
        line = (start + (end - start) * share + 0.5).astype(np.uint8)
        colours = spread(line, rows, columns)
    else:
        across, down = offsets(place, paint.focus)
        colours = _ramp(paint.inner, paint.outer, 1.45 * np.sqrt(across**2 + down**2))
    if not paint.grain:
        return colours
    # The tile is anchored to the picture, as all textures are.
    grain = textures.tile("grain", scale)[place.rows, place.columns]
    rough = cv2.addWeighted(colours, 1.0, grain, paint.grain, -128 * paint.grain)
    return np.asarray(rough, np.uint8)


def spread(colours: NDArray[np.uint8], rows: int, columns: int) -> NDArray[np.uint8]:
    """Return a column, a row or a single colour repeated to (rows, columns, 3)."""
    whole = cv2.resize(colours, (columns, rows), interpolation=cv2.INTER_NEAREST)
    return np.asarray(whole, np.uint8)


def _ramp(start: Colour, end: Colour, share: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return the colours between two at `share` (h, w), 0 and up, as (h, w, 3) uint8."""
    first, last = np.array(start, np.float32), np.array(end, np.float32)
    table = (first + (last - first) * _TABLE + 0.5).astype(np.uint8)
    index = np.minimum(255.0, 255.0 * share).astype(np.uint8)
    return np.asarray(cv2.applyColorMap(index, table), np.uint8)


def offsets(
    place: Box, focus: tuple[float, float]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return x (1, w) and y (h, 1) from `focus`, as shares of the shape's bounds."""
    x0, y0, x1, y1 = place.bounds
    across = np.arange(place.columns.start, place.columns.stop, dtype=np.float32)[None, :]
    down = np.arange(place.rows.start, place.rows.stop, dtype=np.float32)[:, None]
    wide, tall = np.float32(max(1e-6, x1 - x0)), np.float32(max(1e-6, y1 - y0))
    return (
        (across - np.float32(x0)) / wide - np.float32(focus[0]),
        (down - np.float32(y0)) / tall - np.float32(focus[1]),
    )
