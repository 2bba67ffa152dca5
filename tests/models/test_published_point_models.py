"""Promptable models at their published sizes, with random weights: the same equalities as of small ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from models.plain_points import (
    Theirs,
    all_logits,
    asked,
    grid,
    load_plainly,
    outputs_of,
    picture,
    plain_masks,
)

from benchmarks.point_sizes import PUBLISHED, write_published
from ssa.config import MaskSettings
from ssa.device import choose_placement
from ssa.masks.overlaps import ious
from ssa.masks.run_lengths import encode
from ssa.models.point_models import PointModel
from ssa.models.roles import load_proposer

pytestmark = pytest.mark.slow

CPU = choose_placement("cpu", "float32")
SIZE_HW = (300, 420)
SETTINGS = MaskSettings(
    points_per_side=5, pred_iou_thresh=-100, stability_score_thresh=0.2, box_nms_thresh=0.9
)
MILLIONS = {
    # Of the 38.9, 46, 80.8 and 224.4 that are published, 7.5 belong to the memory of videos.
    "sam2.1-tiny": 31.4,
    "sam2.1-small": 38.5,
    "sam2.1-base-plus": 73.3,
    "sam2.1-large": 216.9,
    "edgetam": 9.1,
    "sam-hq-vit-b": 94.8,
    "sam3-tracker": 458.3,
}


@pytest.fixture(scope="module", params=PUBLISHED)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights") / request.param
    write_published(request.param, folder)
    return folder


@pytest.fixture(scope="module")
def both(folder: Path) -> tuple[PointModel, Theirs]:
    ours = load_proposer(folder, CPU)
    assert isinstance(ours, PointModel)
    return ours, load_plainly(folder)


def test_it_has_as_many_parameters_as_published(
    folder: Path, both: tuple[PointModel, Theirs]
) -> None:
    counted = sum(one.numel() for one in both[1][0].parameters()) / 1e6
    assert counted == pytest.approx(MILLIONS[folder.name], abs=0.05)


def test_its_answers_are_transformers_own(both: tuple[PointModel, Theirs]) -> None:
    ours, theirs = both
    image, points = picture(SIZE_HW), grid(SIZE_HW, 3)
    found = ours.decode(ours.embed(image), points)
    masks, rated = outputs_of(*asked(theirs, image, points), theirs[0])
    torch.testing.assert_close(found.ious, rated, atol=2e-5, rtol=1e-4)
    each = torch.arange(len(points))
    for output in range(rated.shape[1]):
        logits = found.logits(each, torch.full((len(points),), output))
        torch.testing.assert_close(logits, masks[:, output], atol=2e-4, rtol=1e-3)


def test_automatic_masks_are_those_of_a_plain_generator(
    both: tuple[PointModel, Theirs], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = both
    image = picture(SIZE_HW)
    logits, quality = all_logits(theirs, image, SETTINGS)
    some = logits.flatten()[:: max(1, logits.numel() // 2**22)]  # quantile takes no more
    threshold, spread = float(some.quantile(0.9)), float(some.std())
    monkeypatch.setattr(ours, "mask_threshold", threshold)
    settings = replace(SETTINGS, stability_score_offset=spread / 50)
    found = ours.propose(image, settings).proposals
    expected = plain_masks(logits, quality, threshold, settings)
    assert len(found) == len(expected) >= 1
    alike = ious([one.rle for one in found], [encode(mask) for mask in expected])
    assert alike.max(1).min() >= 0.99
    assert alike.max(0).min() >= 0.99
