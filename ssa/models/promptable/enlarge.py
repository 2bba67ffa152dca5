"""Enlarges parts of small maps: any resizing that treats rows and columns apart, as two matrices.

A chain of bilinear resizes and cuts is linear, the same for each row and then for each column; so the whole
chain is one matrix for rows and one for columns. Few of a matrix's entries aren't zero, and these lie near
its diagonal, so any window of the large map is made from a small part of the small one, and no more is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

# Of a picture rows and columns, at its own size and on a coarser grid, and the same of its crops.
RESIZINGS_KEPT = 8

# Lines of the large map made by one product: of more, more would be zeros.
LINES_AT_ONCE = 128


@dataclass(frozen=True, slots=True)
class Resizing:
    """A resizing of one side, from ``n`` to ``m`` pixels.

    ``weights`` (m, n) float32 is what each large pixel takes of each small one; ``first`` and ``last`` (m,),
    ascending, are the small pixels at the ends of what it takes. ``size`` and ``steps`` are what it was made
    of.
    """

    weights: Tensor
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    size: int
    steps: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, size: int, steps: Sequence[tuple[int, int]], device: torch.device) -> Resizing:
        """Bilinear, in steps: resize to a size, then keep so many pixels from the start.

        The weights are what the resizes make of single bright pixels. Small pixels after the last one that
        any large one takes are left out. Those made last are kept, for pictures are often of one size.
        """
        return _resizing(size, tuple(steps), device)

    def before_last(self) -> tuple[Resizing, float]:
        """The same without its last step, and by how much that enlarges.

        Between the pixels before it, large ones lie on straight lines.
        """
        *before, (resized, _) = self.steps
        kept = before[-1][1] if before else self.size
        return Resizing.of(self.size, before, self.weights.device), resized / kept

    def reach(
        self, start: NDArray[np.int64], stop: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Large pixels, from and to before, that take of small ones from ``start`` to before ``stop``."""
        return np.searchsorted(self.last, start), np.searchsorted(self.first, stop)

    def needs(self, start: int, stop: int) -> slice:
        """Small pixels that large ones from ``start`` to before ``stop`` take of."""
        return slice(int(self.first[start]), int(self.last[stop - 1]) + 1)


@lru_cache(maxsize=RESIZINGS_KEPT)
def _resizing(size: int, steps: tuple[tuple[int, int], ...], device: torch.device) -> Resizing:
    # Made for inference alone, they could be of no use to who computes gradients later on.
    with torch.inference_mode(False), torch.no_grad():
        response = torch.eye(size)[None]
        for resized, kept in steps:
            response = F.interpolate(response, resized, mode="linear", align_corners=False)
            response = response[..., :kept]
        taken = response[0].numpy() != 0  # (n, m)
        first, last = taken.argmax(0), size - 1 - taken[::-1].argmax(0)
        weights = response[0, : last[-1] + 1].T.contiguous().to(device)
    return Resizing(weights, first, last, size, steps)


@dataclass(frozen=True, slots=True)
class Enlargement:
    """From small maps to large ones."""

    rows: Resizing
    columns: Resizing

    @property
    def small_hw(self) -> tuple[int, int]:
        """Rows and columns of a small map that matter."""
        return self.rows.weights.shape[1], self.columns.weights.shape[1]

    def reach(self, boxes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Boxes (M, 4) of small maps → what of the large depends on them; x0, y0, x1, y1, ends outside."""
        x0, x1 = self.columns.reach(boxes[:, 0], boxes[:, 2])
        y0, y1 = self.rows.reach(boxes[:, 1], boxes[:, 3])
        return np.stack([x0, y0, x1, y1], axis=1)

    def window(self, small: Tensor, box: Sequence[int], below: float) -> Tensor:
        """Of small maps (M, a, b) the box x0, y0, x1, y1 of the large: (M, x1 - x0, y1 - y0 + 1).

        Column by column, as run lengths want it, with a pixel of ``below`` under each column.
        """
        x0, y0, x1, y1 = box
        rows = self.rows.needs(y0, y1)
        wide = spread(small[:, rows], self.columns, x0, x1)
        large = small.new_empty(len(small), x1 - x0, y1 - y0 + 1)
        large[..., -1] = below
        flat, flat_wide = large.flatten(0, 1), wide.flatten(0, 1)
        for start, stop in _spans(y0, y1):
            part = self.rows.needs(start, stop)
            source = flat_wide[:, part.start - rows.start : part.stop - rows.start]
            weights = self.rows.weights[start:stop, part]
            torch.mm(source, weights.T, out=flat[:, start - y0 : stop - y0])
        return large

    def windows(self, small: Tensor, boxes: Tensor, size_hw: tuple[int, int]) -> Tensor:
        """Of each small map (M, a, b) a box (M, 4) of its own: (M, w, h), column by column; few operations.

        What of ``size_hw`` lies beyond a box's end is minus infinity.
        """
        rows, columns = self.small_hw
        down, is_row = _lines(self.rows, boxes[:, 1], boxes[:, 3], size_hw[0])
        across, is_column = _lines(self.columns, boxes[:, 0], boxes[:, 2], size_hw[1])
        large = across @ small[:, :rows, :columns].mT @ down.mT
        inside = is_column[:, :, None] & is_row[:, None]
        return large.masked_fill_(~inside, -torch.inf)


def _lines(resizing: Resizing, start: Tensor, stop: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Weights (M, count, n) of lines from each start on, and (M, count) whether they lie before its stop."""
    line = start[:, None] + torch.arange(count, device=start.device)
    return resizing.weights[line.clamp(max=len(resizing.weights) - 1)], line < stop[:, None]


def spread(small: Tensor, columns: Resizing, x0: int, x1: int) -> Tensor:
    """(M, a, b) → (M, x1 - x0, a): its columns, resized, of which these are wanted."""
    wide = small.new_empty(len(small), x1 - x0, small.shape[1])
    for start, stop in _spans(x0, x1):
        part = columns.needs(start, stop)
        weights = columns.weights[start:stop, part]
        wide[:, start - x0 : stop - x0] = (small[..., part] @ weights.T).mT
    return wide


def _spans(start: int, stop: int) -> list[tuple[int, int]]:
    return [(at, min(at + LINES_AT_ONCE, stop)) for at in range(start, stop, LINES_AT_ONCE)]
