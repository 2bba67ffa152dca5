"""How many pixels of each class lie under each mask, counted where the label map is.

A mask is runs of pixels down the columns, so what lies under it follows from running totals at the runs'
ends: the work grows with the runs, not with the masks' areas.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ssa.masks.run_lengths import stretches
from ssa.pictures.canvas import Masks
from ssa.types import RLE

# Running totals held at once: 128 MB of int32.
TOTALS_AT_ONCE = 2**25


@torch.inference_mode()
def class_counts(
    class_ids: Tensor, classes: int, masks: Sequence[RLE], present: Tensor | None = None
) -> NDArray[np.int64]:
    """(M, classes): pixels of each class under each mask, for ids (H, W) below ``classes``.

    ``present`` (C,) int64 are the classes that may be there, if that is known: to find out is a wait.
    Raises ``ValueError`` for a mask of another size.
    """
    for mask in masks:
        if (mask.height, mask.width) != tuple(class_ids.shape):
            raise ValueError(
                f"expected masks of the label map's size {tuple(class_ids.shape)}; "
                f"got {(mask.height, mask.width)}"
            )
    if isinstance(masks, Masks):  # Other maps may count them too, and they are sent once.
        runs = masks.once(("runs", class_ids.device), partial(_sent, device=class_ids.device))
    else:
        runs = _sent(masks, class_ids.device)
    present = _present(class_ids, classes) if present is None else present
    counts = torch.zeros(classes, len(masks), dtype=torch.int32, device=class_ids.device)
    return _counted(class_ids, present, runs, counts).cpu().numpy().T.astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Runs:
    """Each run's mask by its number (R,), and where it starts and stops (2, R): int64, on a device."""

    owners: Tensor
    ends: Tensor


def _sent(masks: Sequence[RLE], device: torch.device) -> _Runs:
    runs = [stretches(mask) for mask in masks]
    owners = np.repeat(np.arange(len(masks)), [len(starts) for starts, _ in runs])
    ends = [np.concatenate([run[end] for run in runs]) for end in (0, 1)] if runs else [owners] * 2
    sent = torch.from_numpy(np.stack([owners, *ends])).to(device)
    return _Runs(sent[0], sent[1:])


def _counted(class_ids: Tensor, present: Tensor, runs: _Runs, counts: Tensor) -> Tensor:
    """``counts`` (classes, masks) int32, all 0, with those of ids (H, W)."""
    # One more in front, for totals before the first pixel; it is in both that are compared.
    pixels = functional.pad(class_ids.T.flatten(), (1, 0))
    at_once = max(1, TOTALS_AT_ONCE // len(pixels))
    for some in torch.split(present, at_once):
        so_far = (pixels == some[:, None]).cumsum(1, dtype=torch.int32)
        start, stop = so_far[:, runs.ends].unbind(1)
        counts[some] = counts.new_zeros(len(some), counts.shape[1]).index_add_(
            1, runs.owners, stop - start
        )
    return counts


def _present(class_ids: Tensor, classes: int) -> Tensor:
    """The classes that any pixel has, few of all: (C,) int64, ascending."""
    seen = torch.zeros(classes, dtype=torch.bool, device=class_ids.device)
    return seen.index_fill_(0, class_ids.flatten().long(), True).nonzero()[:, 0]
