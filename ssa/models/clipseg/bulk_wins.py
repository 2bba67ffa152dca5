"""The pixels that each candidate wins, of many crops at once: what ``wins`` counts, in a few operations.

Crops are taken in groups of about the same size, whose grids are filled up to the largest. A group's masks
are drawn from their runs where the logits lie, column by column, and so all is transposed here: (.., w, h).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssa.masks.run_lengths import stretches_in
from ssa.pictures.canvas import MaskParts

# Numbers that a group holds: 256 MB of float32.
NUMBERS_AT_ONCE = 2**26

# A cell is in when half of its area is; sums of shares may fall short of a half by rounding.
HALF = 0.5 - 1e-5


def wins_in_bulk(
    logits: Sequence[Tensor], masks: MaskParts, most_side: int
) -> list[NDArray[np.int64]]:
    """How many pixels each of a crop's K candidates wins, (K,), from its ``logits`` (K, s, s).

    As ``wins_one_by_one``, but for pixels whose logits are equal up to rounding, and cells half covered.
    """
    device, side = logits[0].device, logits[0].shape[-1]
    groups = list(_groups(masks, [len(own) for own in logits], most_side))
    # One transfer there for all groups, and one back.
    sent = torch.from_numpy(np.concatenate([group.numbers for group in groups])).to(device)
    pairs = torch.cat(list(logits))
    found, start = [], 0
    for group in groups:
        numbers = sent[start : start + len(group.numbers)]
        start += len(group.numbers)
        found.append(_wins(group, numbers, pairs, side).flatten())
    counts = torch.cat(found).cpu().numpy()
    wins: list[NDArray[np.int64]] = [counts[:0]] * len(logits)
    start = 0
    for group in groups:
        for crop in group.crops:
            wins[crop] = counts[start : start + len(logits[crop])]
            start += group.candidates
    return wins


@dataclass(frozen=True, slots=True)
class _Group:
    """Crops to be counted together: their places in the batch, and what is sent to the device of them.

    ``numbers`` is one row of int64: the crops' heights, widths, grid heights and grid widths, then the
    places of their candidates' logits (-1 where there are fewer), then where runs begin, then where they end.
    """

    crops: list[int]
    candidates: int
    frame_hw: tuple[int, int]
    grid_hw: tuple[int, int]
    numbers: NDArray[np.int64]


def _groups(masks: MaskParts, counts: Sequence[int], most_side: int) -> Iterator[_Group]:
    sizes = np.array(
        [(bottom - top, right - left) for left, top, right, bottom in masks.boxes_xyxy]
    )
    grids = sizes.clip(max=most_side)
    shrinks = [max(pair) > most_side for pair in sizes.tolist()]
    order = sorted(range(len(sizes)), key=lambda crop: (shrinks[crop], *sizes[crop].tolist()))
    first = np.cumsum([0, *counts])
    crops: list[int] = []
    for crop in [*order, -1]:
        both = [*crops, crop]
        numbers = len(both) * int(
            sizes[both].max(0).prod() + max(counts[one] for one in both) * grids[both].max(0).prod()
        )
        alike = crop >= 0 and all(shrinks[one] == shrinks[crop] for one in crops[:1])
        if crops and not (alike and numbers <= NUMBERS_AT_ONCE):
            yield _group(
                crops, masks, sizes, grids, [range(*first[one : one + 2]) for one in crops]
            )
            crops = []
        crops.append(crop)


def _group(
    crops: list[int],
    masks: MaskParts,
    sizes: NDArray[np.int64],
    grids: NDArray[np.int64],
    pairs: Sequence[range],
) -> _Group:
    high, wide = sizes[crops].max(0).tolist()
    most = max(map(len, pairs))
    places = [[*own, *[-1] * (most - len(own))] for own in pairs]
    begins, ends = [], []
    for number, crop in enumerate(crops):
        start, stop = stretches_in(masks.rles[crop], masks.boxes_xyxy[crop])
        # From the box's columns to the frame's; an end belongs to the column of the run's last pixel.
        (begin_x, begin_y), (last_x, last_y) = (
            np.divmod(one, sizes[crop, 0]) for one in (start, stop - 1)
        )
        corner = number * high * wide
        begins.append(corner + begin_x * high + begin_y)
        ends.append(corner + last_x * high + last_y + 1)
    numbers = [*sizes[crops].T, *grids[crops].T, np.ravel(places), *begins, *ends]
    grid_high, grid_wide = grids[crops].max(0).tolist()
    return _Group(
        crops, most, (high, wide), (grid_high, grid_wide), np.concatenate(numbers).astype(np.int64)
    )


def _wins(group: _Group, numbers: Tensor, pairs: Tensor, side: int) -> Tensor:
    """Counts (n, K), with 0 where a crop has fewer candidates."""
    count, most = len(group.crops), group.candidates
    (heights, widths, grid_heights, grid_widths), places, runs = (
        numbers[: 4 * count].view(4, count),
        numbers[4 * count : (4 + most) * count].view(count, most),
        numbers[(4 + most) * count :].view(2, -1),
    )
    inside = _drawn(runs, count, group.frame_hw)
    if group.frame_hw != group.grid_hw:
        inside = _shrunk(inside, (heights, widths), (grid_heights, grid_widths), group.grid_hw)
    columns, rows = _below(grid_widths, group.grid_hw[1]), _below(grid_heights, group.grid_hw[0])
    real = columns[:, :, None] & rows[:, None]
    inside = inside & real
    # A mask without a pixel lets the whole crop decide.
    counted = inside | (real & ~inside.flatten(1).any(1)[:, None, None])
    down, across = (
        _enlarging(sizes, side, most_new)
        for sizes, most_new in zip((grid_heights, grid_widths), group.grid_hw, strict=True)
    )
    large = across[:, None] @ pairs[places.clamp(min=0)].mT @ down[:, None].mT
    winner = large.masked_fill_((places < 0)[..., None, None], -torch.inf).argmax(1)
    return torch.stack([((winner == one) & counted).flatten(1).sum(1) for one in range(most)], 1)


def _drawn(runs: Tensor, count: int, frame_hw: tuple[int, int]) -> Tensor:
    """Masks (n, w, h) bool from where runs begin and end (2, R), counted through all masks' pixels."""
    high, wide = frame_hw
    steps = runs.new_zeros(count * wide * high + 1, dtype=torch.int8)
    one = torch.ones((), dtype=torch.int8, device=runs.device).expand(runs.shape[1])
    steps.index_add_(0, runs[0], one).index_add_(0, runs[1], one, alpha=-1)
    return steps[:-1].cumsum(0, dtype=torch.int8).bool().view(count, wide, high)


def _shrunk(
    masks: Tensor,
    sizes: tuple[Tensor, Tensor],
    grids: tuple[Tensor, Tensor],
    grid_hw: tuple[int, int],
) -> Tensor:
    """Masks (n, w, h) on coarser grids (n, gw, gh): cells half covered or, where none is, any touched."""
    (down, own_row), (across, own_column) = (
        _areas(sizes[axis], grids[axis], grid_hw[axis], masks.shape[2 - axis]) for axis in (0, 1)
    )
    drawn = masks.float()
    covered = across @ drawn @ down.mT >= HALF
    touched = own_column @ drawn @ own_row.mT > 0
    thin = ~covered.flatten(1).any(1)[:, None, None]
    return covered | (thin & touched)


def _areas(sizes: Tensor, grids: Tensor, most_new: int, most_old: int) -> tuple[Tensor, Tensor]:
    """(n, cells, lines) twice: the share of each cell that a line covers, and 1 for the cell it begins in."""
    cell = torch.arange(most_new, device=sizes.device)[:, None]
    line = torch.arange(most_old, device=sizes.device)
    sizes, grids = sizes[:, None, None], grids[:, None, None]
    scale, real = sizes / grids, line < sizes
    overlap = (scale * (cell + 1)).minimum(line + 1) - (scale * cell).maximum(line)
    begins = (line * grids // sizes == cell) & real
    return overlap.clamp_(min=0).mul_(real).div_(scale), begins.float()


def _enlarging(sizes: Tensor, side: int, most_new: int) -> Tensor:
    """(n, new, old) matrices that bring ``side`` lines to each of ``sizes``: bilinear, antialiased.

    The rule of ``ssa.models.shared.taps`` with all old lines as taps; a side is short enough.
    """
    scale = (side / sizes)[:, None, None]
    centre = scale * (torch.arange(most_new, device=sizes.device)[:, None] + 0.5)
    line = torch.arange(side, device=sizes.device) + 0.5
    share = (1 - ((line - centre) / scale.clamp(min=1.0)).abs()).clamp_(min=0.0)
    # Lines beyond a crop's own take of nothing; they are counted nowhere.
    return share / share.sum(-1, keepdim=True).clamp_(min=1e-6)


def _below(sizes: Tensor, most: int) -> Tensor:
    return torch.arange(most, device=sizes.device) < sizes[:, None]
