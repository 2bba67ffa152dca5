"""Automatic masks of Semantic-SAM against the public implementation's, and what its proposer does else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from ssa.config import MaskSettings
from ssa.masks import run_lengths as masks
from ssa.models.semantic_sam import SemanticSamMaskProposer
from ssa.types import MaskProposal
from tests.semantic_sam_reference import amg_cases, amg_picture, reference_model
from tests.small_sam import CPU

LOOSE = MaskSettings(points_per_side=4, pred_iou_thresh=0, stability_score_thresh=0)


@pytest.fixture(scope="module")
def proposer() -> SemanticSamMaskProposer:
    return SemanticSamMaskProposer(reference_model(), CPU, short_side_px=None)


@pytest.mark.parametrize("name", amg_cases())
def test_masks_are_the_public_implementations(name: str) -> None:
    case = amg_cases()[name]
    own = {key: value for key, value in case["settings"].items() if key != "level"}
    settings = MaskSettings(**own, granularities=tuple(case["settings"]["level"]))
    # There, clicks of a batch influence one another.
    proposer = SemanticSamMaskProposer(
        reference_model(), CPU, short_side_px=None, isolate_clicks=False
    )
    proposals = proposer.propose(amg_picture(), settings).proposals
    assert len(proposals) == len(case["annotations"]) > 0
    for proposal, record in zip(proposals, case["annotations"], strict=True):
        assert_same(proposal, record)
        assert proposal.granularity in settings.granularities


def assert_same(proposal: MaskProposal, record: dict[str, Any]) -> None:
    assert proposal.rle.counts == record["segmentation"]["counts"]
    assert proposal.area_px == record["area"]
    assert proposal.bbox_xywh == tuple(record["bbox"])
    assert proposal.predicted_iou == pytest.approx(record["predicted_iou"], abs=1e-5)
    assert proposal.stability_score == pytest.approx(record["stability_score"], abs=1e-5)
    # There, a click is a small box relative to the picture; here, a point in pixels.
    height, width = amg_picture().shape[:2]
    x, y = proposal.points_xy[0]
    assert (x / width, y / height) == pytest.approx(record["point_coords"][0][:2], abs=1e-6)


def test_isolated_clicks_make_the_batch_size_not_matter(proposer: SemanticSamMaskProposer) -> None:
    few, many = (
        proposer.propose(amg_picture(), MaskSettings(**shared(batch))).proposals
        for batch in (3, 200)
    )
    assert len(few) > 3
    assert [each.rle for each in few] == [each.rle for each in many]


def shared(batch: int) -> dict[str, Any]:
    case = amg_cases()["all_levels"]["settings"]
    own = {key: value for key, value in case.items() if key != "level"}
    return {**own, "points_per_batch": batch, "min_mask_region_area": 0}


def test_only_the_granularities_asked_for_are_answered(proposer: SemanticSamMaskProposer) -> None:
    settings = MaskSettings(4, 200, 0, 0, granularities=(2, 5))
    proposals = proposer.propose(amg_picture(), settings).proposals
    assert {each.granularity for each in proposals} == {2, 5}


def test_masks_cover_a_resized_picture() -> None:
    """Small masks are enlarged as the demos do it: four times, the padding cut off, to the picture's size."""
    proposer = SemanticSamMaskProposer(reference_model(), CPU, short_side_px=96)
    crop = amg_picture()  # 115 x 149
    embedding = proposer.embed(crop)
    assert embedding.input_hw == (96, 124)
    assert embedding.padded_hw == (96, 128)
    decoded = proposer.decode(embedding, np.array([[70.0, 50.0]]))
    outputs = torch.arange(6)
    small = decoded.logits(torch.zeros(6, dtype=torch.long), outputs)
    assert small.shape == (6, 24, 32)
    plain = F.interpolate(small[None], (96, 128), mode="bilinear")[..., :96, :124]
    plain = F.interpolate(plain, (115, 149), mode="bilinear")[0]
    ours = proposer.enlargement(embedding).window(small, (0, 0, 149, 115), below=0.0)[..., :-1].mT
    torch.testing.assert_close(ours, plain, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 300), (300, 2), (33, 31)])
def test_pictures_of_odd_sizes(size_hw: tuple[int, int]) -> None:
    proposer = SemanticSamMaskProposer(reference_model(), CPU, short_side_px=96)
    picture = np.random.default_rng(5).integers(0, 255, (*size_hw, 3), dtype=np.uint8)
    assert max(proposer.embed(picture).padded_hw) <= 4 * 96
    for each in proposer.propose(picture, LOOSE).proposals:
        assert masks.decode(each.rle).shape == size_hw


def test_bfloat16_is_for_the_backbone_alone() -> None:
    from ssa.device import Placement

    proposer = SemanticSamMaskProposer(
        reference_model(), Placement(torch.device("cpu"), torch.bfloat16), None
    )
    assert proposer.model.backbone.norm0.weight.dtype == torch.bfloat16
    assert proposer.model.decoder.norm.weight.dtype == torch.float32
    embedding = proposer.embed(amg_picture())
    exact = SemanticSamMaskProposer(reference_model(), CPU, None).embed(amg_picture())
    assert embedding.mask_features.dtype == torch.float32
    torch.testing.assert_close(embedding.mask_features, exact.mask_features, atol=0.2, rtol=0.1)
