"""SAM 2.1, EdgeTAM, SAM-HQ and SAM 3's tracker: transformers' own answers, and masks made of them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
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
from models.small_point_models import KINDS, write_point_model
from safetensors.torch import load_file, save_file
from torch.nn import functional

from ssa.config import ClusterSettings, MaskSettings
from ssa.device import choose_placement
from ssa.errors import WeightsError
from ssa.labelling.clustering import mask_embeddings
from ssa.masks.overlaps import ious
from ssa.masks.run_lengths import encode
from ssa.models.point_models import FAMILIES, PointModel
from ssa.models.roles import load_proposer

CPU = choose_placement("cpu")
SIZES = [(90, 120), (128, 128), (37, 200), (300, 41)]
FEW = MaskSettings(
    points_per_side=6, pred_iou_thresh=-100, stability_score_thresh=0.2, box_nms_thresh=0.9
)


@pytest.fixture(scope="module", params=KINDS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    write_point_model(request.param, folder)
    return folder


@pytest.fixture(scope="module")
def ours(folder: Path) -> PointModel:
    found = load_proposer(folder, CPU)
    assert isinstance(found, PointModel)
    return found


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Theirs:
    return load_plainly(folder)


@pytest.mark.parametrize("size_hw", SIZES)
def test_its_answers_are_transformers_own(
    ours: PointModel, theirs: Theirs, size_hw: tuple[int, int]
) -> None:
    image, points = picture(size_hw), grid(size_hw, 4)
    found = ours.decode(ours.embed(image), points)
    masks, rated = outputs_of(*asked(theirs, image, points), theirs[0])
    torch.testing.assert_close(found.ious, rated, atol=2e-5, rtol=1e-4)
    each = torch.arange(len(points))
    for output in range(rated.shape[1]):
        logits = found.logits(each, torch.full((len(points),), output))
        torch.testing.assert_close(logits, masks[:, output], atol=2e-4, rtol=1e-3)


@pytest.mark.parametrize("size_hw", SIZES)
def test_automatic_masks_are_those_of_a_plain_generator(
    ours: PointModel,
    theirs: Theirs,
    size_hw: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = picture(size_hw)
    logits, quality = all_logits(theirs, image, FEW)
    # Masks of untrained models fill the picture: what is inside is what is brighter than nine tenths.
    threshold, spread = float(logits.quantile(0.9)), float(logits.std())
    monkeypatch.setattr(ours, "mask_threshold", threshold)
    settings = replace(FEW, stability_score_offset=spread / 50)
    found = ours.propose(image, settings).proposals
    expected = plain_masks(logits, quality, threshold, settings)
    assert len(found) == len(expected) >= 1
    alike = ious([one.rle for one in found], [encode(mask) for mask in expected])
    assert alike.max(1).min() >= 0.99
    assert alike.max(0).min() >= 0.99


def test_regions_can_be_grouped_by_what_it_sees(ours: PointModel) -> None:
    image = picture((90, 120))
    seen = ours.embed_image(image)
    assert seen.features.shape == (32, 8, 8)
    pads = FAMILIES[ours.kind].pads
    assert seen.extent_hw == ((6.0, 8.0) if pads else (8.0, 8.0))
    found = ours.propose(image, FEW)
    assert found.fetch_embedding is not None
    np.testing.assert_array_equal(found.fetch_embedding().features, seen.features)
    vectors = mask_embeddings(seen, found.proposals, ClusterSettings())
    assert vectors.shape == (len(found.proposals), 32)


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 50), (3, 2)])
def test_tiny_pictures_pass(ours: PointModel, size_hw: tuple[int, int]) -> None:
    image = np.full((*size_hw, 3), 90, np.uint8)
    for one in ours.propose(image, FEW).proposals:
        assert (one.rle.height, one.rle.width) == size_hw


def test_a_parameter_that_is_missing_is_told(folder: Path, tmp_path: Path) -> None:
    damaged = tmp_path / folder.name
    shutil.copytree(folder, damaged)
    state = load_file(damaged / "model.safetensors")
    gone = next(name for name in state if "mask_decoder.iou_prediction_head" in name)
    del state[gone]
    save_file(state, damaged / "model.safetensors", {"format": "pt"})
    with pytest.raises(WeightsError, match="1 parameters are not in the checkpoint"):
        load_proposer(damaged, CPU)
    (damaged / "preprocessor_config.json").unlink()
    with pytest.raises(WeightsError, match=r"without preprocessor_config\.json"):
        load_proposer(damaged, CPU)


def test_strangers_are_told_and_numbers_that_are_none_refused(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = tmp_path / folder.name
    shutil.copytree(folder, other)
    state = load_file(folder / "model.safetensors")
    save_file(
        {**state, "mask_decoder.tail": torch.zeros(1)},
        other / "model.safetensors",
        {"format": "pt"},
    )
    load_proposer(other, CPU)
    assert "1 tensors are unknown to" in caplog.text
    name = next(iter(sorted(state)))
    broken = {**state, name: torch.full_like(state[name], float("nan"))}
    save_file(broken, other / "model.safetensors", {"format": "pt"})
    with pytest.raises(WeightsError, match="tensors hold NaN or infinity"):
        load_proposer(other, CPU)


def test_in_fewer_bits_it_sees_much_the_same(folder: Path, ours: PointModel) -> None:
    coarse = PointModel.load(folder, choose_placement("cpu", "bfloat16"), ours.kind)
    image, points = picture((90, 120)), grid((90, 120), 4)
    seen, exact = coarse.embed(image), ours.embed(image)
    assert coarse.decode(seen, points).ious.dtype == torch.float32
    likeness = functional.cosine_similarity(seen.coarsest, exact.coarsest)
    assert seen.coarsest.dtype == torch.float32
    assert likeness.mean() > 0.99
