"""Promptable models asked as transformers' documentation shows, and automatic masks made of their answers.

The generator works as segment_anything's does, on whole masks one after the other.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from torch.nn import functional
from torchvision.ops import batched_nms, masks_to_boxes

from ssa.config import MaskSettings
from ssa.masks.run_lengths import encode
from ssa.models.point_models import FAMILIES
from ssa.types import RGBImage

Theirs = tuple[Any, Any]
"""A model and its image processor."""


def kind_of(folder: Path) -> str:
    return str(json.loads((folder / "config.json").read_text())["model_type"])


def load_plainly(folder: Path) -> Theirs:
    """As transformers loads them."""
    family = FAMILIES[kind_of(folder)]
    model = getattr(transformers, family.model).from_pretrained(folder, dtype=torch.float32).eval()
    return model, getattr(transformers, family.processor).from_pretrained(folder)


def side_of(theirs: Theirs) -> int:
    """The side of the square that the encoder takes, px."""
    size = theirs[1].size
    return int(size.get("height") or size["longest_edge"])


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
def asked(theirs: Theirs, image: RGBImage, points: np.ndarray) -> tuple[Any, Any]:
    """Small masks (N, K, a, b) and IoUs (N, K) by the model's own forward, from pixels on."""
    model, processor = theirs
    pixels = processor(images=[image], return_tensors="pt")["pixel_values"]
    height, width = image.shape[:2]
    if isinstance(model, transformers.SamHQModel):
        scale = side_of(theirs) / max(height, width)
        scaled = points * (int(width * scale + 0.5) / width, int(height * scale + 0.5) / height)
    else:
        side = side_of(theirs)
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


def large_masks(masks: Any, size_hw: tuple[int, int], padded_side: int | None) -> Any:
    """Small masks (N, a, b) at the picture's size."""
    if padded_side:
        masks = functional.interpolate(masks[None], (padded_side, padded_side), mode="bilinear")[0]
        scale = padded_side / max(size_hw)
        high, wide = (int(side * scale + 0.5) for side in size_hw)
        masks = masks[:, :high, :wide]
    return functional.interpolate(masks[None], size_hw, mode="bilinear")[0]


def all_logits(theirs: Theirs, image: RGBImage, settings: MaskSettings) -> tuple[Any, Any]:
    """Every point's masks at the picture's size (M, H, W), and their IoUs (M,)."""
    size_hw = image.shape[0], image.shape[1]
    small, rated = outputs_of(
        *asked(theirs, image, grid(size_hw, settings.points_per_side)), theirs[0]
    )
    padded_side = side_of(theirs) if isinstance(theirs[0], transformers.SamHQModel) else None
    return large_masks(small.flatten(0, 1), size_hw, padded_side), rated.flatten()


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
