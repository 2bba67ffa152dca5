"""SAM 2.1, EdgeTAM, SAM-HQ and SAM 3's tracker: transformers' own answers, and automatic masks made of them.

The plain generator below works as segment_anything's does, on whole masks one after the other.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from models.small_point_models import KINDS, SIDE, write_point_model
from safetensors.torch import load_file, save_file
from torch.nn import functional
from torchvision.ops import batched_nms, masks_to_boxes

from ssa.config import ClusterSettings, MaskSettings
from ssa.device import choose_placement
from ssa.errors import WeightsError
from ssa.labelling.clustering import mask_embeddings
from ssa.masks.overlaps import ious
from ssa.masks.run_lengths import encode
from ssa.models.point_models import FAMILIES, PointModel
from ssa.models.roles import load_proposer
from ssa.types import RGBImage

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


def kind_of(folder: Path) -> str:
    return str(json.loads((folder / "config.json").read_text())["model_type"])


@pytest.fixture(scope="module")
def ours(folder: Path) -> PointModel:
    found = load_proposer(folder, CPU)
    assert isinstance(found, PointModel)
    return found


@pytest.fixture(scope="module")
def theirs(folder: Path) -> tuple[Any, Any]:
    """The model and its image processor, as transformers loads them."""
    family = FAMILIES[kind_of(folder)]
    model = getattr(transformers, family.model).from_pretrained(folder, dtype=torch.float32).eval()
    return model, getattr(transformers, family.processor).from_pretrained(folder)


def picture(size_hw: tuple[int, int]) -> RGBImage:
    """Blots, for noise alone looks the same everywhere."""
    rng = np.random.default_rng(size_hw[0])
    small = torch.from_numpy(rng.uniform(0, 255, (1, 3, 5, 7)))
    large = functional.interpolate(small, size_hw, mode="bicubic").clamp(0, 255)
    return np.ascontiguousarray(large[0].permute(1, 2, 0).numpy().astype(np.uint8))


def grid(size_hw: tuple[int, int], side: int) -> np.ndarray:
    """Points (side², 2) in the middles of a grid's cells, row by row, pixels."""
    line = (np.arange(side) + 0.5) / side
    across, down = np.meshgrid(line * size_hw[1], line * size_hw[0])
    return np.stack([across, down], -1).reshape(-1, 2)


@torch.inference_mode()
def asked(theirs: tuple[Any, Any], image: RGBImage, points: np.ndarray) -> tuple[Any, Any]:
    """Small masks (N, K, a, b) and IoUs (N, K) by the model's own forward, from pixels on."""
    model, processor = theirs
    pixels = processor(images=[image], return_tensors="pt")["pixel_values"]
    height, width = image.shape[:2]
    if isinstance(model, transformers.SamHQModel):
        scale = SIDE / max(height, width)
        scaled = points * (int(width * scale + 0.5) / width, int(height * scale + 0.5) / height)
    else:
        side = processor.size["height"]
        scaled = points * (side / width, side / height)
    answer = model(
        pixel_values=pixels,
        input_points=torch.tensor(scaled, dtype=torch.float32)[None, :, None],
        input_labels=torch.ones((1, len(points), 1), dtype=torch.int64),
    )
    return answer.pred_masks[0], answer.iou_scores[0]


def outputs_of(masks: Any, rated: Any, model: Any) -> tuple[Any, Any]:
    """Those of a point's masks that are meant: all, or of SAM-HQ the best."""
    if not isinstance(model, transformers.SamHQModel):
        return masks, rated
    best = rated.argmax(1, keepdim=True)
    return masks.take_along_dim(best[..., None, None], 1), rated.take_along_dim(best, 1)


@pytest.mark.parametrize("size_hw", SIZES)
def test_its_answers_are_transformers_own(
    ours: PointModel, theirs: tuple[Any, Any], size_hw: tuple[int, int]
) -> None:
    image, points = picture(size_hw), grid(size_hw, 4)
    found = ours.decode(ours.embed(image), points)
    masks, rated = outputs_of(*asked(theirs, image, points), theirs[0])
    torch.testing.assert_close(found.ious, rated, atol=2e-5, rtol=1e-4)
    each = torch.arange(len(points))
    for output in range(rated.shape[1]):
        logits = found.logits(each, torch.full((len(points),), output))
        torch.testing.assert_close(logits, masks[:, output], atol=2e-4, rtol=1e-3)


def large_masks(masks: Any, size_hw: tuple[int, int], pads: bool) -> Any:
    """Small masks (N, a, b) at the picture's size."""
    if pads:
        masks = functional.interpolate(masks[None], (SIDE, SIDE), mode="bilinear")[0]
        scale = SIDE / max(size_hw)
        high, wide = (int(side * scale + 0.5) for side in size_hw)
        masks = masks[:, :high, :wide]
    return functional.interpolate(masks[None], size_hw, mode="bilinear")[0]


def all_logits(theirs: tuple[Any, Any], image: RGBImage, settings: MaskSettings) -> tuple[Any, Any]:
    """Every point's masks at the picture's size (M, H, W), and their IoUs (M,)."""
    size_hw = image.shape[0], image.shape[1]
    small, rated = outputs_of(
        *asked(theirs, image, grid(size_hw, settings.points_per_side)), theirs[0]
    )
    pads = isinstance(theirs[0], transformers.SamHQModel)
    return large_masks(small.flatten(0, 1), size_hw, pads), rated.flatten()


def plain_masks(logits: Any, quality: Any, threshold: float, settings: MaskSettings) -> list[Any]:
    """Automatic masks, the best first: drawn whole, filtered by stability, and by their boxes."""
    high, low = (threshold + settings.stability_score_offset * sign for sign in (1, -1))
    sure = (logits > high).flatten(1).sum(1) / (logits > low).flatten(1).sum(1)
    kept = (quality > settings.pred_iou_thresh) & (sure >= settings.stability_score_thresh)
    masks, quality = logits[kept] > threshold, quality[kept]
    boxes = torch.stack(
        [masks_to_boxes(one[None])[0] if one.any() else torch.zeros(4) for one in masks]
    )
    order = batched_nms(boxes, quality, torch.zeros(len(boxes)), settings.box_nms_thresh)
    found = {encode(masks[position].numpy()).counts: masks[position].numpy() for position in order}
    return list(found.values())  # of equal ones the first


@pytest.mark.parametrize("size_hw", SIZES)
def test_automatic_masks_are_those_of_a_plain_generator(
    ours: PointModel,
    theirs: tuple[Any, Any],
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
    assert found.embedding is not None
    np.testing.assert_array_equal(found.embedding.features, seen.features)
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
