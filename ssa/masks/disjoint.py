"""Masks that overlap, made to share no pixel: each pixel belongs to the smallest mask on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ssa.masks.painting import paint
from ssa.masks.run_lengths import area, box_of, decode, encode_runs
from ssa.types import RLE, MaskProposal


def disjoint(proposals: Sequence[MaskProposal]) -> list[MaskProposal | None]:
    """Each mask without the pixels that a smaller one has; None where nothing of it is left.

    Boxes and areas are those of what is left, scores those of the whole mask. Of equal masks the last one
    stays. All are of one picture.
    """
    if not proposals:
        return []
    height, width = proposals[0].rle.height, proposals[0].rle.width
    left = _visible(paint([one.rle for one in proposals], height, width), len(proposals))
    return [_cut(*pair) for pair in zip(proposals, left, strict=True)]


def _cut(proposal: MaskProposal, rle: RLE | None) -> MaskProposal | None:
    if rle is None:
        return None
    if rle == proposal.rle:
        return proposal
    return replace(proposal, rle=rle, bbox_xywh=box_of(decode(rle)), area_px=area(rle))


def _visible(owner: NDArray[np.int32], count: int) -> list[RLE | None]:
    """Of each of ``count`` masks what shows of it, in one pass; ``owner`` is (H, W), from ``paint``."""
    height, width = owner.shape
    column_major = owner.T.ravel()
    starts = np.concatenate([[0], np.flatnonzero(np.diff(column_major)) + 1])
    stops = np.concatenate([starts[1:], [column_major.size]])
    owners = column_major[starts]
    order = np.argsort(owners, kind="stable")
    bounds = np.searchsorted(owners[order], np.arange(count + 1))
    return [
        _encoded(starts[order[first:last]], stops[order[first:last]], height, width)
        for first, last in pairwise(bounds)
    ]


def _encoded(
    starts: NDArray[np.int64], stops: NDArray[np.int64], height: int, width: int
) -> RLE | None:
    """A mask of the pixels from each start to before each stop, down the columns."""
    if not len(starts):
        return None
    edges = np.stack([starts, stops], axis=1).ravel()
    runs = np.diff(np.concatenate([[0], edges, [height * width]]))
    return encode_runs(runs[:-1] if runs[-1] == 0 else runs, height, width)
