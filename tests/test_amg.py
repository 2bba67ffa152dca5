"""Automatic mask generation against segment_anything's own, mask for mask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from segment_anything import SamAutomaticMaskGenerator
from segment_anything.modeling import Sam
from segment_anything.utils.amg import build_point_grid, generate_crop_boxes
from torch import Tensor

from ssa import amg, masks
from ssa.config import MaskSettings
from ssa.device import Placement
from ssa.models.sam import CropEmbedding, SamMaskProposer
from ssa.types import MaskProposal, RGBImage
from tests.small_sam import blob_sam, drawn_picture
from toyworld.scenes import draw_scene
from toyworld.seeds import evaluation_seed

CPU = Placement(torch.device("cpu"), torch.float32)
TINY = Path(__file__).parents[1] / "weights" / "tiny" / "sam"

PLAIN = MaskSettings(points_per_side=8, pred_iou_thresh=0.3, stability_score_thresh=0.5)
SETTINGS = {
    "plain": PLAIN,
    # Odd batches, so that the last is short.
    "unfiltered": replace(PLAIN, points_per_batch=7, pred_iou_thresh=0, stability_score_thresh=0),
    "crops": replace(PLAIN, crop_n_layers=1, crop_n_points_downscale_factor=2, crop_nms_thresh=0.5),
    "two layers": replace(
        PLAIN, crop_n_layers=2, crop_n_points_downscale_factor=2, stability_score_offset=0.5
    ),
    "clean": replace(PLAIN, min_mask_region_area=100),
    "crops, clean": replace(
        PLAIN,
        points_per_side=10,
        crop_n_layers=1,
        crop_n_points_downscale_factor=2,
        min_mask_region_area=60,
        box_nms_thresh=0.9,
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_masks_are_segment_anythings(name: str) -> None:
    assert_same_masks(blob_sam(), SETTINGS[name])


@pytest.mark.parametrize("name", ["plain", "crops", "crops, clean"])
def test_the_miniatures_masks_are_segment_anythings(name: str) -> None:
    scene = draw_scene(evaluation_seed(4)).image
    found = assert_same_masks(SamMaskProposer.load(TINY, CPU).sam, SETTINGS[name], scene)
    assert len(found) >= 6


def assert_same_masks(
    sam: Sam, settings: MaskSettings, picture: RGBImage | None = None
) -> tuple[MaskProposal, ...]:
    """Both generators find the same masks, in the same order; returns ours."""
    picture = drawn_picture() if picture is None else picture
    theirs = of_segment_anything(sam, settings, picture)
    ours = SamMaskProposer(sam, CPU).propose(picture, settings)
    assert len(ours) == len(theirs)
    for proposal, record in zip(ours, theirs, strict=True):
        assert_same(proposal, record)
    return ours


def of_segment_anything(
    sam: Sam, settings: MaskSettings, picture: RGBImage
) -> list[dict[str, Any]]:
    """The package's records, save its empty masks, which ours never has."""
    generator = SamAutomaticMaskGenerator(sam, **asdict(settings))
    try:
        records = generator.generate(picture)
    except IndexError:  # The package fails where crop layers find no mask at all.
        return []
    return [record for record in records if record["area"]]


def assert_same(proposal: MaskProposal, record: dict[str, Any]) -> None:
    mask, theirs = masks.decode(proposal.rle), record["segmentation"]
    assert (mask & theirs).sum() / (mask | theirs).sum() >= 0.99
    assert proposal.area_px == mask.sum()
    assert proposal.predicted_iou == pytest.approx(record["predicted_iou"], abs=1e-3)
    assert proposal.stability_score == pytest.approx(record["stability_score"], abs=1e-3)
    assert proposal.bbox_xywh == pytest.approx(record["bbox"], abs=2)
    assert proposal.bbox_xywh == masks.box_of(mask)
    assert proposal.crop_box_xywh == tuple(record["crop_box"])
    assert np.array(proposal.points_xy) == pytest.approx(np.array(record["point_coords"]))


def test_settings_under_test_do_what_they_are_for() -> None:
    """Else the comparison above would prove little."""
    found = {name: generate_blobs(settings) for name, settings in SETTINGS.items()}
    whole = (0.0, 0.0, 200.0, 150.0)
    assert min(map(len, found.values())) > 20
    assert {p.crop_box_xywh for p in found["plain"]} == {whole}
    assert any(p.crop_box_xywh != whole for p in found["crops"])
    assert {p.rle for p in found["clean"]} - {p.rle for p in found["plain"]}
    assert min(p.predicted_iou for p in found["unfiltered"]) < 0.3
    assert min(p.stability_score for p in found["unfiltered"]) < 0.5


@cache
def generate_blobs(settings: MaskSettings) -> tuple[MaskProposal, ...]:
    return SamMaskProposer(blob_sam(), CPU).propose(drawn_picture(), settings)


def test_chunks_do_not_change_the_masks(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = generate_blobs(SETTINGS["crops"])
    for pixels in (3 * 150 * 200, 1):
        monkeypatch.setattr(amg, "CHUNK_PIXELS", pixels)
        assert generate_blobs.__wrapped__(SETTINGS["crops"]) == expected


class Recorder(SamMaskProposer):
    """Notes how many masks were enlarged at once, and the IoUs that were decoded."""

    def __init__(self) -> None:
        super().__init__(blob_sam(), CPU)
        self.enlarged: list[int] = []
        self.ious: list[float] = []

    def decode(
        self, embedding: CropEmbedding, points_xy: NDArray[np.float64]
    ) -> tuple[Tensor, Tensor]:
        logits, ious = super().decode(embedding, points_xy)
        self.ious += ious.flatten().tolist()
        return logits, ious

    def upscale(self, embedding: CropEmbedding, logits: Tensor) -> Tensor:
        self.enlarged.append(len(logits))
        return super().upscale(embedding, logits)


def test_only_masks_that_the_model_rates_well_are_enlarged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(amg, "CHUNK_MASKS", 10)
    model = Recorder()
    amg.generate(model, drawn_picture(), PLAIN)
    assert len(model.ious) == 8 * 8 * 3
    assert sum(model.enlarged) == sum(iou > PLAIN.pred_iou_thresh for iou in model.ious)
    assert max(model.enlarged) == 10


@pytest.mark.parametrize("hw", [(1, 1), (1, 400), (400, 1), (2, 3), (5, 1000)])
@pytest.mark.parametrize("layers", [0, 2])
def test_pictures_of_any_size(hw: tuple[int, int], layers: int) -> None:
    settings = MaskSettings(
        points_per_side=3,
        pred_iou_thresh=0,
        stability_score_thresh=0,
        crop_n_layers=layers,
        min_mask_region_area=5,
        # Rounds to no point a side in the second layer.
        crop_n_points_downscale_factor=2,
    )
    found = SamMaskProposer(blob_sam(), CPU).propose(np.full((*hw, 3), 77, np.uint8), settings)
    for proposal in found:
        assert masks.decode(proposal.rle).shape == hw
        assert proposal.area_px > 0


@pytest.mark.parametrize("layers", [0, 1])
@pytest.mark.parametrize("threshold", ["pred_iou_thresh", "stability_score_thresh"])
def test_no_masks_are_an_empty_tuple(threshold: str, layers: int) -> None:
    settings = replace(PLAIN, **{threshold: 1.1}, crop_n_layers=layers, min_mask_region_area=9)
    assert generate_blobs(settings) == ()


def test_progress_counts_the_points_of_all_crops_up_to_their_total() -> None:
    told: list[tuple[int, int]] = []
    amg.generate(Recorder(), drawn_picture(), SETTINGS["crops"], lambda *now: told.append(now))
    # 8 x 8 points over the whole, 4 x 4 in each of four crops; a batch is 64 points.
    assert told == [(64, 128), (80, 128), (96, 128), (112, 128), (128, 128)]


def test_same_masks_run_to_run() -> None:
    again = generate_blobs.__wrapped__(SETTINGS["crops, clean"])
    assert again == generate_blobs(SETTINGS["crops, clean"])


class Drawn:
    """A promptable model of set logits, a mask for each point, all rated alike; embeds nothing."""

    mask_threshold = 0.0

    def __init__(self, logits: Tensor) -> None:
        self.masks: Iterator[Tensor] = iter(logits)

    def embed(self, crop: NDArray[np.uint8]) -> tuple[int, ...]:
        return crop.shape[:2]

    def decode(
        self, embedding: tuple[int, ...], points_xy: NDArray[np.float64]
    ) -> tuple[Tensor, Tensor]:
        logits = torch.stack([next(self.masks) for _ in points_xy])
        return logits[:, None], torch.ones(len(points_xy), 1)

    def upscale(self, embedding: tuple[int, ...], logits: Tensor) -> Tensor:
        return logits


def test_empty_masks_are_dropped_and_stability_is_a_ratio_of_areas() -> None:
    logits = torch.full((4, 20, 30), -5.0)
    logits[1, 2:6, 3:8] = 5.0
    logits[1, 2:6, 8:10] = 0.5  # Inside at 0, outside at 1: 20 of 28 pixels are sure.
    logits[2, 10:20, 10:30] = 5.0
    logits[3] = -0.5  # Empty at 0, all of the picture at -1.
    settings = MaskSettings(points_per_side=2, pred_iou_thresh=0.5, stability_score_thresh=0)
    found = amg.generate(Drawn(logits), np.zeros((20, 30, 3), np.uint8), settings)
    assert [(p.area_px, p.bbox_xywh) for p in found] == [
        (28, (3.0, 2.0, 6.0, 3.0)),
        (200, (10.0, 10.0, 19.0, 9.0)),
    ]
    assert found[0].stability_score == pytest.approx(20 / 28)
    assert found[0].points_xy == ((22.5, 5.0),)


def test_stability_holds_on_very_wide_pictures() -> None:
    logits = torch.ones(1, 2, 70_000)
    logits[:, :, :35_000] = 3.0
    settings = MaskSettings(points_per_side=1, stability_score_thresh=0, stability_score_offset=2)
    (found,) = amg.generate(Drawn(logits), np.zeros((2, 70_000, 3), np.uint8), settings)
    assert found.area_px == 140_000
    assert found.stability_score == pytest.approx(0.5)


@given(st.integers(1, 2000), st.integers(1, 2000), st.integers(0, 3), st.floats(0, 0.6))
def test_crops_are_segment_anythings(height: int, width: int, layers: int, overlap: float) -> None:
    boxes, layer_of = generate_crop_boxes((height, width), layers, overlap)
    theirs = [
        (layer, tuple(box))
        for layer, box in zip(layer_of, boxes, strict=True)
        if box[0] < box[2] and box[1] < box[3]
    ]
    assert amg.crop_boxes(height, width, layers, overlap) == theirs


@given(st.integers(1, 64))
def test_points_are_segment_anythings(points_per_side: int) -> None:
    np.testing.assert_allclose(amg.point_grid(points_per_side), build_point_grid(points_per_side))
