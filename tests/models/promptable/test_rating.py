"""Masks that are rated first and drawn at the end are those that are drawn at once."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssa.config import MaskSettings
from ssa.device import Placement
from ssa.masks.overlaps import ious
from ssa.masks.run_lengths import decode
from ssa.models.promptable import rating
from ssa.models.sam import SamMaskProposer
from ssa.models.shared import coarse
from ssa.types import MaskProposal
from tests.models.promptable.test_amg import SETTINGS, TINY
from tests.small_sam import CPU, BlobProposer, drawn_picture
from toyworld.scenes import draw_scene
from toyworld.seeds import evaluation_seed

BULK = Placement(torch.device("cpu"), torch.float32, bulk=True)
FEW = MaskSettings(points_per_side=8, pred_iou_thresh=0.5, stability_score_thresh=0.6)


def in_bulk() -> BlobProposer:
    model = BlobProposer()
    model.in_bulk = True
    return model


def other_px(one: MaskProposal, other: MaskProposal) -> int:
    return int((decode(one.rle) != decode(other.rle)).sum())


def same(found: tuple[MaskProposal, ...], expected: tuple[MaskProposal, ...]) -> None:
    """The same masks in the same order, but for a pixel whose logit is zero up to rounding."""
    assert len(found) == len(expected) > 0
    for mine, theirs in zip(found, expected, strict=True):
        assert other_px(mine, theirs) <= 2
        assert mine.predicted_iou == pytest.approx(theirs.predicted_iou, abs=1e-6)
        assert mine.stability_score == pytest.approx(theirs.stability_score, abs=1e-3)
        assert mine.points_xy == theirs.points_xy
        assert mine.crop_box_xywh == theirs.crop_box_xywh


@pytest.mark.parametrize("name", SETTINGS)
def test_masks_in_bulk_are_those_drawn_at_once(name: str) -> None:
    settings, picture = SETTINGS[name], drawn_picture()
    found = in_bulk().propose(picture, settings).proposals
    same(found, BlobProposer().propose(picture, settings).proposals)


def test_the_miniatures_masks_in_bulk_are_those_drawn_at_once() -> None:
    picture = draw_scene(evaluation_seed(3)).image
    found = SamMaskProposer.load(TINY, BULK).propose(picture, FEW).proposals
    same(found, SamMaskProposer.load(TINY, CPU).propose(picture, FEW).proposals)


def test_memory_bounds_how_many_at_once_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = SETTINGS["crops"]
    whole = in_bulk().propose(drawn_picture(), settings).proposals
    monkeypatch.setattr(rating, "NUMBERS_AT_ONCE", 1)
    same(in_bulk().propose(drawn_picture(), settings).proposals, whole)


@pytest.mark.parametrize("layers", [0, 1])
def test_large_pictures_are_compared_on_a_coarser_grid_and_drawn_at_their_own(
    monkeypatch: pytest.MonkeyPatch, layers: int
) -> None:
    """Of an enlarged drawing, with the bounds brought down to what a test has time for."""
    picture = np.asarray(drawn_picture()).repeat(3, axis=0).repeat(3, axis=1)
    settings = replace(FEW, pred_iou_thresh=0.3, stability_score_thresh=0.5, crop_n_layers=layers)
    exact = BlobProposer().propose(picture, settings).proposals
    monkeypatch.setattr(coarse, "MOST_PIXELS_COMPARED", 60_000)
    monkeypatch.setattr(coarse, "LONGEST_SIDE_COMPARED", 300)
    gridded = BlobProposer().propose(picture, settings).proposals
    assert abs(len(gridded) - len(exact)) <= 0.1 * len(exact)
    masks = [decode(one.rle) for one in exact]
    for one in gridded:
        mine = decode(one.rle)
        assert mine.shape == picture.shape[:2]
        assert one.area_px == mine.sum()
        best = max(float((mine & other).sum() / (mine | other).sum()) for other in masks)
        assert best > 0.97


@pytest.mark.parametrize("scene", [1, 3])
def test_an_enlarged_scenes_masks_are_those_compared_at_full_size(
    monkeypatch: pytest.MonkeyPatch, scene: int
) -> None:
    """And drawn there pixel by pixel."""
    picture = cv2.resize(draw_scene(evaluation_seed(scene)).image, (2500, 2000))
    model = SamMaskProposer.load(TINY, CPU)
    gridded = [one.rle for one in model.propose(picture, FEW).proposals]
    monkeypatch.setattr(coarse, "MOST_PIXELS_COMPARED", picture.size)
    exact = [one.rle for one in model.propose(picture, FEW).proposals]
    alike = ious(gridded, exact) >= 0.99
    assert len(exact) > 3
    assert alike.any(0).mean() >= 0.99
    assert alike.any(1).mean() >= 0.99


@given(
    st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), max_size=12), st.integers(1, 900)
)
def test_groups_hold_every_window_once(sides: list[tuple[int, int]], numbers: int) -> None:
    stops = list(rating._stops(np.array(sides, np.int64).reshape(-1, 2), numbers))
    assert stops == sorted(set(stops))
    assert stops[-1:] == [len(sides)] * bool(sides)
    for start, stop in zip([0, *stops], stops, strict=False):
        wide, high = np.array(sides[start:stop]).max(0)
        assert stop - start == 1 or (stop - start) * wide * high <= numbers


def test_up_to_four_megapixels_the_grid_is_the_picture() -> None:
    assert coarse.grid_of(1600, 2500) == (1600, 2500)
    assert coarse.grid_of(4000, 6000) == (1365, 2048)
    assert coarse.grid_of(1, 98_000_000) == (1, 2048)
