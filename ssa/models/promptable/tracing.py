"""From logits to what is kept of masks: areas, and the pixels where a mask begins and ends.

On a CPU numpy compares and counts several times as fast as torch (2.11), on the same memory; on any other
device all stays there until a few numbers are left.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssa.masks.trace import Trace


def count_above(logits: Tensor, level: float) -> NDArray[np.int64]:
    """How many of each of (M, ...) are above the level: (M,)."""
    above = _above(logits, level).flatten(1)
    if above.is_cpu:
        return np.array([np.count_nonzero(row) for row in above.numpy()], dtype=np.int64)
    return above.sum(1).cpu().numpy()


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
