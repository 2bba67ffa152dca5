"""The grid on which a large picture's pixels are compared.

Models answer with a few hundred numbers a side, whatever the picture's size; so beyond this a finer grid
tells no more and costs what its pixels cost.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST_PIXELS_COMPARED = 4_000_000
LONGEST_SIDE_COMPARED = 2048


def grid_of(height: int, width: int) -> tuple[int, int]:
    """(height, width) on which so many pixels are compared: their own up to 4 megapixels."""
    if height * width <= MOST_PIXELS_COMPARED:
        return height, width
    scale = min(1.0, LONGEST_SIDE_COMPARED / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def nearest(cells: int, pixels: int) -> NDArray[np.int64]:
    """(pixels,): the cell in which the middle of each pixel of a side lies."""
    return (2 * np.arange(pixels) + 1) * cells // (2 * pixels)
