"""How many pixels of each class lie under each mask, counted where the label map is.

A mask is runs of pixels down the columns, so what lies under it follows from running totals at the runs'
ends: the work grows with the runs, not with the masks' areas.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssa.masks.run_lengths import stretches
from ssa.types import RLE

# Running totals held at once: 128 MB of int32.
TOTALS_AT_ONCE = 2**25


def class_counts(class_ids: Tensor, classes: int, masks: Sequence[RLE]) -> NDArray[np.int64]:
    """(M, classes): pixels of each class under each mask, for ids (H, W) below ``classes``.

    Raises ``ValueError`` for a mask of another size.
    """
    for mask in masks:
        if (mask.height, mask.width) != tuple(class_ids.shape):
            raise ValueError(
                f"expected masks of the label map's size {tuple(class_ids.shape)}; "
                f"got {(mask.height, mask.width)}"
            )
    runs = [stretches(mask) for mask in masks]
    owners = np.repeat(np.arange(len(masks)), [len(starts) for starts, _ in runs])
    ends = [np.concatenate([run[end] for run in runs]) for end in (0, 1)] if runs else [owners] * 2
    sent = torch.from_numpy(np.stack([owners, *ends])).to(class_ids.device)
    return _counted(class_ids.T.flatten(), classes, len(masks), sent).cpu().numpy()


def _counted(pixels: Tensor, classes: int, masks: int, runs: Tensor) -> Tensor:
    """(masks, classes) from pixels down the columns, and each run's mask, its start and its end, (3, R)."""
    owners, starts, stops = runs
    counts = torch.zeros(masks, classes, dtype=torch.int64, device=pixels.device)
    at_once = max(1, TOTALS_AT_ONCE // len(pixels))
    present = _present(pixels, classes)
    for first in range(0, len(present), at_once):
        some = present[first : first + at_once]
        is_one = pixels == some[:, None]
        so_far = is_one.cumsum(1, dtype=torch.int32)
        within = so_far[:, stops - 1] - so_far[:, starts] + is_one[:, starts]
        of_some = counts.new_zeros(masks, len(some)).index_add_(0, owners, within.T.long())
        counts[:, some] = of_some
    return counts


def _present(pixels: Tensor, classes: int) -> Tensor:
    """The classes that any pixel has, few of all: (C,) int64, ascending."""
    seen = torch.zeros(classes, dtype=torch.bool, device=pixels.device)
    return seen.index_fill_(0, pixels.long(), True).nonzero()[:, 0]
