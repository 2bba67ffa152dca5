"""Masks that overlap, made a map: which of them lies on top of each pixel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ssa.masks.run_lengths import filling_runs
from ssa.types import RLE

NOBODY = -1
"""The owner of a pixel that no mask has."""


def paint(masks: Sequence[RLE], height: int, width: int) -> NDArray[np.int32]:
    """(H, W) the position among ``masks`` of the one on top of each pixel, ``NOBODY`` where there is none.

    Smaller masks lie on larger ones; of equal areas the later lies on top. Areas are counted, not taken
    on trust. One mask at a time is decoded, and only the columns from its first pixel to its last. Raises
    ``ValueError`` for a mask of another size or whose runs don't fill the picture.
    """
    runs = [_runs(mask, height, width) for mask in masks]
    # Runs go down the columns, so the canvas does too, until the end.
    canvas = np.full(height * width, NOBODY, dtype=np.int32)
    for position in painting_order([int(one[1::2].sum()) for one in runs]):
        _draw(canvas, runs[position], position)
    return np.ascontiguousarray(canvas.reshape(width, height).T)


def painting_order(areas: Sequence[int]) -> list[int]:
    """Positions in the order to paint: the largest first, of equal ones the first first."""
    return sorted(range(len(areas)), key=lambda position: -areas[position])


def _draw(canvas: NDArray[np.int32], runs: NDArray[np.int64], position: int) -> None:
    start, spans = int(runs[0]), runs[1:]
    if len(spans) % 2 == 0:
        spans = spans[:-1]  # what follows the last pixel inside
    inside = np.repeat(np.arange(len(spans)) % 2 == 0, spans)
    canvas[start : start + len(inside)][inside] = position


def _runs(mask: RLE, height: int, width: int) -> NDArray[np.int64]:
    if (mask.height, mask.width) != (height, width):
        raise ValueError(
            f"expected masks of the picture's size, {height} × {width}; got {mask.height} × {mask.width}"
        )
    return filling_runs(mask)
