"""Large masks drawn by where logits cross the threshold: no pixel of them is made.

The last step of enlargement joins its lines by straight lines, so down a column a mask begins or ends once
between two of them at most, and where is a division. A mask of 98 megapixels takes a tenth of the time.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ssa.masks.trace import Trace
from ssa.models.promptable.crops import Crop
from ssa.models.promptable.enlarge import Enlargement, Resizing, spread
from ssa.models.promptable.rating import Rated


def outlined(
    chosen: Sequence[Rated], enlargement: Enlargement, level: float, crop: Crop
) -> list[Trace]:
    """The masks at full size, in the picture's frame, one after the other.

    Equal to what is above the level when all pixels are made, but for those at it up to rounding.
    """
    left, top, *_ = crop.box
    lines, scale = enlargement.rows.before_last()
    found = []
    for one in chosen:
        x0, y0, x1, y1 = enlargement.reach(one.small_box[None])[0].tolist()
        columns = spread(one.small[None], enlargement.columns, x0, x1)[0]
        trace = _above(level, columns, lines, scale, (y0, y1))
        found.append(Trace(trace.columns + left + x0, trace.starts + top, trace.stops + top))
    return found


def _above(
    level: float, columns: Tensor, lines: Resizing, scale: float, rows: tuple[int, int]
) -> Trace:
    """Where columns (w, a), brought to lines and these enlarged by a scale, are above the level.

    ``rows`` are those of the large map outside of which there is nothing, from and to before.
    """
    wanted = slice(*_lines_around(*rows, scale, len(lines.weights)))
    weights = lines.weights[wanted]
    heights = (columns[:, : weights.shape[1]] @ weights.T).cpu().numpy()
    column, line = _changes(heights > np.float32(level))
    place = (_crossings(heights, column, line, level) + wanted.start + 0.5) * scale - 0.5
    # A pixel at the level is outside, where a mask begins as where it ends.
    starts = (np.floor(place[::2]) + 1).clip(*rows).astype(np.int64)
    stops = np.ceil(place[1::2]).clip(*rows).astype(np.int64)
    trace = Trace(column[::2], starts, stops)
    return trace[starts < stops]


def _lines_around(start: int, stop: int, scale: float, count: int) -> tuple[int, int]:
    """The lines, from and to before, between which large ones from ``start`` to before ``stop`` lie."""
    first, last = ((row + 0.5) / scale - 0.5 for row in (start, stop - 1))
    return max(0, int(np.floor(first))), min(count, int(np.ceil(last)) + 1)


def _changes(above: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of flags (w, k): column and line before which each run of true ones begins and, in turn, ends."""
    changed = np.empty((above.shape[0], above.shape[1] + 1), np.bool_)
    changed[:, 0], changed[:, -1] = above[:, 0], above[:, -1]
    np.not_equal(above[:, 1:], above[:, :-1], out=changed[:, 1:-1])
    column, line = np.divmod(np.flatnonzero(changed), changed.shape[1])
    return column, line


def _crossings(
    heights: NDArray[np.float32], column: NDArray[np.int64], line: NDArray[np.int64], level: float
) -> NDArray[np.float64]:
    """Where, in lines, the level is crossed before each of these; beyond all lines at the two ends."""
    inner = (line > 0) & (line < heights.shape[1])
    after = line.clip(1, heights.shape[1] - 1)
    one, other = (heights[column, at].astype(np.float64) for at in (after - 1, after))
    with np.errstate(divide="ignore", invalid="ignore"):
        between = after - 1 + (level - one) / (other - one)
    return np.where(inner, between, np.where(line == 0, -np.inf, np.inf))
