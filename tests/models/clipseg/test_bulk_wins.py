"""Pixels counted for many crops at once are those counted crop by crop."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from ssa.masks.run_lengths import encode
from ssa.masks.trace import Trace
from ssa.models.clipseg import bulk_wins
from ssa.models.clipseg.bulk_wins import wins_in_bulk
from ssa.models.clipseg.run_shrinking import shrink_runs
from ssa.models.clipseg.wins import wins_one_by_one
from ssa.pictures.canvas import MaskParts
from ssa.types import BoxXYXY

HEIGHT, WIDTH = 90, 70
SIDE, MOST_SIDE = 12, 24
on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def spot(chance: np.random.Generator, box_xyxy: BoxXYXY, kind: str) -> NDArray[np.bool_]:
    """A mask of the picture with pixels in the box alone: all of them, some, a line or none."""
    left, top, right, bottom = box_xyxy
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    part = mask[top:bottom, left:right]
    if kind == "all":
        part[:] = True
    elif kind == "some":
        part[:] = chance.random(part.shape) < 0.5
    elif kind == "line":
        part[:, chance.integers(part.shape[1])] = True
    return mask


@st.composite
def crops(draw: st.DrawFn) -> tuple[BoxXYXY, str, int]:
    left, top = draw(st.integers(0, WIDTH - 1)), draw(st.integers(0, HEIGHT - 1))
    right, bottom = draw(st.integers(left + 1, WIDTH)), draw(st.integers(top + 1, HEIGHT))
    kind = draw(st.sampled_from(["all", "some", "line", "none"]))
    return (left, top, right, bottom), kind, draw(st.integers(1, 4))


def made(drawn: list[tuple[BoxXYXY, str, int]], seed: int) -> tuple[list[torch.Tensor], MaskParts]:
    chance = np.random.default_rng(seed)
    masks = [encode(spot(chance, box, kind)) for box, kind, _ in drawn]
    generator = torch.Generator().manual_seed(seed)
    logits = [torch.randn(count, SIDE, SIDE, generator=generator) for *_, count in drawn]
    return logits, MaskParts(masks, [box for box, *_ in drawn])


@given(
    drawn=st.lists(crops(), min_size=1, max_size=6), seed=st.integers(0, 10_000), few=st.booleans()
)
def test_together_as_one_by_one(
    drawn: list[tuple[BoxXYXY, str, int]], seed: int, few: bool
) -> None:
    logits, masks = made(drawn, seed)
    with pytest.MonkeyPatch.context() as patch:
        if few:  # room for no two
            patch.setattr(bulk_wins, "NUMBERS_AT_ONCE", 1)
        together = wins_in_bulk(logits, masks, MOST_SIDE)
    apart = wins_one_by_one(logits, masks, MOST_SIDE)
    for mine, theirs, mask in zip(together, apart, masks, strict=True):
        assert mine.shape == theirs.shape
        # A cell that is half covered up to rounding, or two logits equal up to it, may go the other way.
        assert np.abs(mine - theirs).sum() <= 2 + 0.02 * mask.size


@given(drawn=st.lists(crops(), min_size=1, max_size=6), most_side=st.integers(1, 90))
def test_the_cells_of_masks_are_those_of_their_runs(
    drawn: list[tuple[BoxXYXY, str, int]], most_side: int
) -> None:
    """A single candidate wins every cell that is in; of a mask without a pixel these are all cells."""
    logits, masks = made(drawn, 3)
    for mask, box, found in zip(
        masks,
        masks.boxes_xyxy,
        wins_in_bulk([one[:1] for one in logits], masks, most_side),
        strict=True,
    ):
        size_hw = box[3] - box[1], box[2] - box[0]
        grid_hw = min(size_hw[0], most_side), min(size_hw[1], most_side)
        inside = shrink_runs(Trace.of(encode(mask)), size_hw, grid_hw)
        assert found.tolist() == [inside.sum() or inside.size]


def test_exactly_alike_where_nothing_is_near_a_tie() -> None:
    boxes: list[BoxXYXY] = [(0, 0, 70, 90), (3, 5, 20, 21), (10, 0, 30, 90), (5, 7, 6, 8)]
    drawn = [(box, kind, 3) for box in boxes for kind in ("all", "some", "line", "none")]
    logits, masks = made(drawn, 1)
    for mine, theirs in zip(
        wins_in_bulk(logits, masks, 90), wins_one_by_one(logits, masks, 90), strict=True
    ):
        assert mine.tolist() == theirs.tolist()


def test_of_equal_logits_the_first_candidate_wins() -> None:
    _, masks = made([((0, 0, 9, 9), "all", 1)], 0)
    assert wins_in_bulk([torch.zeros(3, SIDE, SIDE)], masks, MOST_SIDE)[0].tolist() == [81, 0, 0]


@on_a_gpu
def test_a_gpu_counts_the_same() -> None:
    boxes: list[BoxXYXY] = [(0, 0, 70, 90), (3, 5, 20, 21), (10, 0, 30, 90)]
    logits, masks = made([(box, "some", 3) for box in boxes], 1)
    there = wins_in_bulk([one.cuda() for one in logits], masks, MOST_SIDE)
    for mine, theirs in zip(there, wins_in_bulk(logits, masks, MOST_SIDE), strict=True):
        assert np.abs(mine - theirs).sum() <= 4
