"""The pixels of each mask that each candidate wins, one crop after the other, on the crop's own grid."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ssa.masks.run_lengths import stretches_in
from ssa.masks.trace import Trace
from ssa.models.clipseg.run_shrinking import shrink_runs
from ssa.models.shared.coarse import grid_of
from ssa.models.shared.pixels import resize_bilinear
from ssa.pictures.canvas import MaskParts
from ssa.types import BoolMask


def wins_one_by_one(
    logits: Sequence[Tensor], masks: Sequence[BoolMask], most_side: int
) -> list[NDArray[np.int64]]:
    """How many pixels each of a crop's K candidates wins, (K,), from its ``logits`` (K, s, s).

    ``masks`` (h, w) are in the frames of the crops; no side of a grid is longer than ``most_side``.
    """
    grids = (_on_grid(masks, number, most_side) for number in range(len(masks)))
    return _brought([_wins(*pair) for pair in zip(logits, grids, strict=True)])


def wins_in_squares(
    logits: Sequence[Tensor], masks: Sequence[BoolMask], side: int
) -> list[NDArray[np.int64]]:
    """The same counted on ``side`` × ``side``, where each pixel of a mask is the nearest of its own."""
    wins = [
        count_wins(
            resize_bilinear(own[None], (side, side), False)[0], _nearest(mask, side).to(own.device)
        )
        for own, mask in zip(logits, masks, strict=True)
    ]
    return _brought(wins)


def _brought(wins: Sequence[Tensor]) -> list[NDArray[np.int64]]:
    """Counts (K,) of each crop, from the device in one transfer for the whole batch."""
    counts = torch.split(torch.cat([*wins]).cpu(), [len(own) for own in wins])
    return [own.numpy() for own in counts]


def _nearest(mask: BoolMask, side: int) -> Tensor:
    pixels = torch.from_numpy(np.ascontiguousarray(mask))[None, None].float()
    return functional.interpolate(pixels, (side, side), mode="nearest")[0, 0].bool()


def _wins(logits: Tensor, mask: BoolMask) -> Tensor:
    inside = torch.from_numpy(mask).to(logits.device)
    return count_wins(resize_bilinear(logits[None], mask.shape)[0], inside)


def _on_grid(masks: Sequence[BoolMask], number: int, most_side: int) -> BoolMask:
    """One of the masks on its grid; of a large one no pixel is made, if it comes as runs."""
    if isinstance(masks, MaskParts):
        left, top, right, bottom = masks.boxes_xyxy[number]
        high, wide = bottom - top, right - left
        if grid_of(high, wide) != (high, wide):
            runs = Trace.cut(*stretches_in(masks.rles[number], masks.boxes_xyxy[number]), high)
            return shrink_runs(runs, (high, wide), (min(high, most_side), min(wide, most_side)))
    mask = masks[number]
    return shrink_mask(mask, (min(mask.shape[0], most_side), min(mask.shape[1], most_side)))


def count_wins(logits: Tensor, mask: Tensor) -> Tensor:
    """The pixels of ``mask`` (h, w) bool in which each of ``logits`` (K, h, w) is the highest: (K,) int64.

    Of equals the first wins. A mask without a pixel lets the whole crop decide: what surrounds a sliver
    lost in resizing is the best evidence left.
    """
    undecided = mask | ~mask.any()
    highest = logits.amax(dim=0)
    wins = []
    for own in logits:
        won = undecided & (own == highest)
        wins.append(won.count_nonzero())
        undecided = undecided & ~won
    return torch.stack(wins)


def shrink_mask(mask: BoolMask, size_hw: tuple[int, int]) -> BoolMask:
    """``mask`` on a grid no finer than its own: a cell is in when half of its area is.

    Where that would leave nothing of a thin mask, a cell is in when any of it is.
    """
    if mask.shape == size_hw:
        return mask
    covered = cv2.resize(
        mask.astype(np.uint8) * np.uint8(255), size_hw[::-1], interpolation=cv2.INTER_AREA
    )
    inside: BoolMask = covered >= 128
    return inside if inside.any() else _touched(mask, size_hw)


def _touched(mask: BoolMask, size_hw: tuple[int, int]) -> BoolMask:
    rows, columns = np.nonzero(mask)
    touched = np.zeros(size_hw, dtype=np.bool_)
    touched[rows * size_hw[0] // mask.shape[0], columns * size_hw[1] // mask.shape[1]] = True
    return touched
