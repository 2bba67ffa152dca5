"""From logits to what is kept of masks: areas, and the pixels where a mask begins and ends.

On a CPU numpy compares and counts several times as fast as torch (2.11), on the same memory; on any other
device all stays there until a few numbers are left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssa.types import ExtentXYXY


def count_above(logits: Tensor, level: float) -> NDArray[np.int64]:
    """How many of each of (M, ...) are above the level: (M,)."""
    above = _above(logits, level).flatten(1)
    if above.is_cpu:
        return np.array([np.count_nonzero(row) for row in above.numpy()], dtype=np.int64)
    return above.sum(1).cpu().numpy()


@dataclass(frozen=True, slots=True)
class Trace:
    """A region as runs down the columns: run i holds the rows from ``starts[i]`` to before ``stops[i]``.

    ``columns``, ``starts`` and ``stops`` are (n,) int64, column by column, and no two runs touch within one.
    """

    columns: NDArray[np.int64]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]

    def __len__(self) -> int:
        """How many runs: 0 for an empty region."""
        return len(self.columns)

    @property
    def area_px(self) -> int:
        """Pixels inside."""
        return int((self.stops - self.starts).sum())

    @property
    def box(self) -> ExtentXYXY:
        """First column and row, last column and row; the region must not be empty."""
        left, right = int(self.columns[0]), int(self.columns[-1])
        return ExtentXYXY((left, int(self.starts.min()), right, int(self.stops.max()) - 1))

    def runs(self, height: int, width: int) -> NDArray[np.int64]:
        """Plain run lengths in a picture of this size, false first; see ``ssa.masks.run_lengths.runs_of``."""
        starts, stops = self.columns * height + self.starts, self.columns * height + self.stops
        # What ends at the foot of a column and begins at the head of the next is one run.
        joined = np.flatnonzero(starts[1:] == stops[:-1])
        ends = np.stack([np.delete(starts, joined + 1), np.delete(stops, joined)], axis=1)
        runs = np.diff(ends.ravel(), prepend=0, append=height * width)
        return runs if runs[-1] else runs[:-1]


def traces(logits: Tensor, level: float, corners: Sequence[tuple[int, int]]) -> list[Trace]:
    """What lies above the level in windows (M, w, h + 1) whose first pixels are at ``corners``, x and y.

    Each column must end with a pixel that does not, which belongs to no window.
    """
    if not len(logits):
        return []
    _, width, pitch = logits.shape
    mask = _above(logits, level).flatten()
    changed = mask.clone()  # The pixel before the first counts as false.
    changed[1:] ^= mask[:-1]
    place = _indices(changed)
    per_mask = np.searchsorted(place, np.arange(1, len(logits)) * (width * pitch))
    columns, rows = np.divmod(place, pitch)
    columns = columns % width
    split = zip(np.split(columns, per_mask), np.split(rows, per_mask), corners, strict=True)
    return [
        Trace(column[::2] + left, row[::2] + top, row[1::2] + top)
        for column, row, (left, top) in split
    ]


def _above(logits: Tensor, level: float) -> Tensor:
    if logits.is_cpu:
        return torch.from_numpy(logits.numpy() > np.float32(level))
    return logits > level


def _indices(flags: Tensor) -> NDArray[np.int64]:
    """Where (n,) is true, on the host."""
    if flags.is_cpu:
        return np.flatnonzero(flags.numpy())
    return flags.nonzero()[:, 0].cpu().numpy()
