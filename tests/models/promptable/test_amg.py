"""Automatic mask generation against segment_anything's own, mask for mask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from segment_anything import SamAutomaticMaskGenerator
from segment_anything.modeling import Sam
from torch import Tensor

from ssa.batching import BatchLimit
from ssa.config import MaskSettings
from ssa.device import Placement
from ssa.masks import run_lengths as masks
from ssa.models.promptable import amg, candidates
from ssa.models.promptable.enlarge import Enlargement, Resizing
from ssa.models.sam import CropEmbedding, SamMaskProposer
from ssa.types import MaskProposal, RGBImage
from tests.small_sam import CPU, Answers, BlobProposer, blob_sam, drawn_picture
from toyworld.scenes import draw_scene
from toyworld.seeds import evaluation_seed

# Sums taken in another order may put a logit that is all but zero on its other side.
MOST_OTHER_PX = 2
TINY = Path(__file__).parents[3] / "weights" / "tiny" / "sam"

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
    assert_same_masks(BlobProposer(), blob_sam(), SETTINGS[name], drawn_picture())


@pytest.mark.parametrize("name", ["plain", "crops", "crops, clean"])
def test_the_miniatures_masks_are_segment_anythings(name: str) -> None:
    scene = draw_scene(evaluation_seed(4)).image
    proposer = SamMaskProposer.load(TINY, CPU)
    assert len(assert_same_masks(proposer, proposer.sam, SETTINGS[name], scene)) >= 6


def test_a_thousand_points_give_segment_anythings_masks() -> None:
    scene = draw_scene(evaluation_seed(7)).image[::2, ::2].copy()
    settings = MaskSettings(points_per_side=32, pred_iou_thresh=0.5, stability_score_thresh=0.6)
    proposer = SamMaskProposer.load(TINY, CPU)
    assert len(assert_same_masks(proposer, proposer.sam, settings, scene)) >= 10


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", ["plain", "crops, clean"])
def test_masks_are_the_same_on_a_gpu(name: str) -> None:
    scene = draw_scene(evaluation_seed(4)).image
    on_gpu = SamMaskProposer.load(TINY, Placement(torch.device("cuda"), torch.float32))
    assert_same_masks(on_gpu, SamMaskProposer.load(TINY, CPU).sam, SETTINGS[name], scene)


def assert_same_masks(
    proposer: SamMaskProposer, sam: Sam, settings: MaskSettings, picture: RGBImage
) -> tuple[MaskProposal, ...]:
    """Both generators find the same masks, in the same order; returns ours."""
    theirs = of_segment_anything(sam, settings, picture)
    ours = proposer.propose(picture, settings).proposals
    assert len(ours) == len(theirs)
    for proposal, record in zip(ours, theirs, strict=True):
        assert_same(proposal, record)
    return ours


def of_segment_anything(
    sam: Sam, settings: MaskSettings, picture: RGBImage
) -> list[dict[str, Any]]:
    """The package's records, save its empty masks, which ours never has."""
    shared = {name: value for name, value in asdict(settings).items() if name != "granularities"}
    generator = SamAutomaticMaskGenerator(sam, **shared)
    try:
        records = generator.generate(picture)
    except IndexError:  # The package fails where crop layers find no mask at all.
        return []
    return [record for record in records if record["area"]]


def assert_same(proposal: MaskProposal, record: dict[str, Any]) -> None:
    mask, theirs = masks.decode(proposal.rle), record["segmentation"]
    assert (mask ^ theirs).sum() <= MOST_OTHER_PX
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
    return BlobProposer().propose(drawn_picture(), settings).proposals


def test_chunks_do_not_change_the_masks(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = generate_blobs(SETTINGS["crops"])
    for pixels in (10**9, 1):
        monkeypatch.setattr(candidates, "PIXELS_AT_ONCE_ON_CPU", pixels)
        assert generate_blobs.__wrapped__(SETTINGS["crops"]) == expected


@dataclass(frozen=True)
class Watched(Answers):
    """Notes which masks were asked for."""

    asked: list[tuple[int, int]]

    def logits(self, points: Tensor, outputs: Tensor) -> Tensor:
        self.asked.extend(zip(points.tolist(), outputs.tolist(), strict=True))
        return super().logits(points, outputs)


class Recorder(BlobProposer):
    """Keeps its answers; likes so many points at once."""

    def __init__(self, points_at_once: int = 1000) -> None:
        super().__init__()
        self.answers: list[Watched] = []
        self.points_at_once = points_at_once

    def decode(self, embedding: CropEmbedding, points_xy: NDArray[np.float64]) -> Watched:
        answers = super().decode(embedding, points_xy)
        self.answers.append(Watched(answers.masks, answers.ious, []))
        return self.answers[-1]


def test_only_masks_that_the_model_rates_well_are_drawn() -> None:
    model = Recorder()
    amg.generate(model, drawn_picture(), PLAIN)
    (answers,) = model.answers
    assert answers.ious.shape == (8 * 8, 3)
    assert answers.asked == [
        (point, output)
        for point, row in enumerate(answers.ious.tolist())
        for output, iou in enumerate(row)
        if iou > PLAIN.pred_iou_thresh
    ]


@pytest.mark.parametrize(("per_batch", "at_once"), [(64, 7), (7, 64)])
def test_a_batch_is_as_large_as_both_settings_and_model_like(per_batch: int, at_once: int) -> None:
    model = Recorder(at_once)
    found = amg.generate(model, drawn_picture(), replace(PLAIN, points_per_batch=per_batch))
    assert [len(answers.ious) for answers in model.answers] == [7] * 9 + [1]
    assert found == generate_blobs(PLAIN)


class Cramped(Recorder):
    """Has memory for ten points at once."""

    def decode(self, embedding: CropEmbedding, points_xy: NDArray[np.float64]) -> Watched:
        if len(points_xy) > 10:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return super().decode(embedding, points_xy)


def test_points_that_do_not_fit_into_memory_are_asked_again_in_smaller_batches() -> None:
    model, told = Cramped(), list[int]()
    found = amg.generate(model, drawn_picture(), PLAIN, lambda done, _: told.append(done))
    assert found == generate_blobs(PLAIN)
    assert told == [8, 16, 24, 32, 40, 48, 56, 64]


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
    found = BlobProposer().propose(np.full((*hw, 3), 77, np.uint8), settings).proposals
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
    in_bulk = False
    points_at_once = 1000
    granularities = (None,)

    def __init__(self, logits: Tensor) -> None:
        self.points_limit = BatchLimit("points")
        self.masks: Iterator[Tensor] = iter(logits)

    def embed(self, crop: NDArray[np.uint8]) -> tuple[int, ...]:
        return crop.shape[:2]

    def decode(self, embedding: tuple[int, ...], points_xy: NDArray[np.float64]) -> Answers:
        logits = torch.stack([next(self.masks) for _ in points_xy])
        return Answers(logits[:, None], torch.ones(len(points_xy), 1))

    def enlargement(
        self, embedding: tuple[int, ...], size_hw: tuple[int, int] | None = None
    ) -> Enlargement:
        """To the same size."""
        rows, columns = (Resizing.of(n, [(n, n)], CPU.device) for n in embedding)
        return Enlargement(rows, columns)


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
