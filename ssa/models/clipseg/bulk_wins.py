"""The pixels that each candidate wins, of many crops at once: what ``wins`` counts, in a few operations.

Crops are taken in groups of about the same size, whose grids are filled up to the largest. Masks come to
their grids from their runs, down the columns, and so all is transposed here: (.., columns, rows).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssa.masks.run_lengths import stretches_in
from ssa.masks.trace import Trace
from ssa.models.clipseg.run_shrinking import Grids, beginning, covering
from ssa.pictures.canvas import MaskParts

# Numbers that a group holds: 256 MB of float32.
NUMBERS_AT_ONCE = 2**26

# Numbers that a cell takes beside its logits: the two that say whether it is in, before and after they are
# summed up; and later, in their place, its winner.
BESIDE_LOGITS = 4

# A candidate that isn't there loses to any that is. Not infinity, of which a share of 0 would be no number.
NO_LOGIT = -1e30


def wins_in_bulk(
    logits: Sequence[Tensor], masks: MaskParts, most_side: int
) -> list[NDArray[np.int64]]:
    """How many pixels each of a crop's K candidates wins, (K,), from its ``logits`` (K, s, s).

    As ``wins_one_by_one``, but for pixels whose logits are equal up to rounding, and cells half covered.
    """
    groups = list(_groups(masks, [len(own) for own in logits], most_side))
    # One transfer there for all groups, and one back.
    sent = torch.from_numpy(np.concatenate([group.numbers for group in groups]))
    numbers = torch.split(sent.to(logits[0].device), [len(group.numbers) for group in groups])
    pairs = torch.cat([*logits, torch.full_like(logits[0][:1], NO_LOGIT)]).mT
    found = [_wins(*one, pairs).flatten() for one in zip(groups, numbers, strict=True)]
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

    ``numbers`` is one row of int32: the crops' grid heights, grid widths and how many parts of a cell make it
    in, then the places of their candidates' logits (one past the last where there are fewer), then where
    their masks' numbers change, then by how much.
    """

    crops: list[int]
    candidates: int
    grid_hw: tuple[int, int]
    numbers: NDArray[np.int32]


def _groups(masks: MaskParts, counts: Sequence[int], most_side: int) -> Iterator[_Group]:
    sizes = np.array(
        [(bottom - top, right - left) for left, top, right, bottom in masks.boxes_xyxy]
    )
    grids = sizes.clip(max=most_side)
    first = np.cumsum([0, *counts])
    pairs = [range(*first[one : one + 2]) for one in range(len(counts))]
    crops: list[int] = []
    for crop in sorted(range(len(grids)), key=lambda crop: grids[crop].tolist()):
        both = [*crops, crop]
        numbers = max(counts[one] for one in both) + BESIDE_LOGITS
        if crops and len(both) * numbers * int(grids[both].max(0).prod()) > NUMBERS_AT_ONCE:
            yield _group(crops, masks, sizes, grids, pairs)
            crops = []
        crops.append(crop)
    yield _group(crops, masks, sizes, grids, pairs)


def _group(
    crops: list[int],
    masks: MaskParts,
    sizes: NDArray[np.int64],
    grids: NDArray[np.int64],
    pairs: Sequence[range],
) -> _Group:
    sizes, grids = sizes[crops], grids[crops]
    high, wide = grids.max(0).tolist()
    most = max(len(pairs[crop]) for crop in crops)
    places = [[*pairs[crop], *[pairs[-1].stop] * (most - len(pairs[crop]))] for crop in crops]
    traces = [_deciding(masks, crop) for crop in crops]
    owner = np.repeat(np.arange(len(crops)), list(map(len, traces)))
    runs, cells = Trace.joined(traces), wide * (high + 1)
    (heights, widths), (rows, columns) = sizes[owner].T, grids[owner].T
    over = Grids(heights, widths, rows, columns, owner * cells, high + 1)
    covered, begun = covering(runs, over), beginning(runs, over)
    steps = covered[0], begun[0] + len(crops) * cells, covered[1], begun[1]
    halves = (sizes.prod(1) + 1) // 2
    numbers = np.concatenate(
        [*grids.T, halves, np.ravel(places), *steps], dtype=np.int32, casting="same_kind"
    )
    return _Group(crops, most, (high, wide), numbers)


def _deciding(masks: MaskParts, crop: int) -> Trace:
    """The pixels that decide: a mask's or, if it is without one, all of its crop."""
    left, top, right, bottom = masks.boxes_xyxy[crop]
    found = stretches_in(masks.rles[crop], masks.boxes_xyxy[crop])
    if len(found[0]):
        return Trace.cut(*found, bottom - top)
    return Trace.filling((0, 0, right - left, bottom - top))


def _wins(group: _Group, numbers: Tensor, pairs: Tensor) -> Tensor:
    """Counts (n, K), with 0 where a crop has fewer candidates."""
    count, most, (high, wide) = len(group.crops), group.candidates, group.grid_hw
    parts = [2 * count, count, count * most]
    grids, halves, places, steps = torch.split(numbers, [*parts, len(numbers) - sum(parts)])
    inside = _drawn(steps.view(2, -1), halves.view(count, 1, 1, 1), group.grid_hw)
    enlarging = _enlarging(grids.view(2, count, 1, 1, 1), pairs.shape[-1], max(high, wide))
    down, across = enlarging[0, ..., :high, :], enlarging[1, ..., :wide, :]
    large = across @ pairs[places.view(count, most)] @ down.mT
    winner = torch.where(inside, large.argmax(1, keepdim=True), -1)
    return (winner == torch.arange(most, device=winner.device).view(-1, 1, 1)).sum((2, 3))


def _drawn(steps: Tensor, halves: Tensor, grid_hw: tuple[int, int]) -> Tensor:
    """Masks (n, 1, w, h) on their grids from the places and sizes (2, S) of their steps.

    A cell is in when as many of its parts are covered as ``halves`` (n, 1, 1, 1) says or, where that would
    leave nothing of a mask, when any of its pixels begins there.
    """
    (high, wide), count = grid_hw, len(halves)
    changes = steps.new_zeros(2 * count * wide * (high + 1)).index_add_(0, *steps)
    sums = changes.view(2, count, 1, wide, high + 1).cumsum(-1, dtype=torch.int32)
    covered, begun = sums[..., :-1].unbind()
    inside = covered >= halves
    thin = ~inside.any((2, 3), keepdim=True)
    return inside | (thin & (begun > 0))


def _enlarging(sizes: Tensor, side: int, most_new: int) -> Tensor:
    """Matrices (.., new, old) that bring ``side`` lines to each of ``sizes`` (.., 1, 1).

    Bilinear, antialiased: the rule of ``ssa.models.shared.taps`` with all old lines as taps, for a side is
    short enough.
    """
    scale = side / sizes
    centre = scale * torch.arange(0.5, most_new, device=sizes.device).view(-1, 1)
    line = torch.arange(0.5, side, device=sizes.device)
    share = (1 - ((line - centre) / scale.clamp(min=1.0)).abs_()).clamp_(min=0.0)
    # Lines beyond a crop's own take of nothing; they are counted nowhere.
    return share / share.sum(-1, keepdim=True).clamp_(min=1e-6)
