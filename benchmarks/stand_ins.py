"""What random weights can't give: captions that name things, and thresholds that some masks pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from segment_anything import SamPredictor
from segment_anything.utils.amg import calculate_stability_score

from ssa.config import MaskSettings
from ssa.models.promptable.crops import point_grid
from ssa.stages import Captioner
from ssa.types import RGBImage

CAPTIONS = (
    "a red car on a grey road",
    "a brown dog on green grass",
    "a white house with a blue door",
    "a yellow sun in a blue sky",
    "a green tree near a red fence",
)

# Of SAM's masks about this share passes the first threshold with its published settings, and half of
# these the second.
PASS_BY_IOU, PASS_BY_STABILITY = 0.4, 0.5
LEAST_STABILITY = 0.01

# A grid that is coarse, but as fine as a threshold needs to be.
_GRID, _POINTS_AT_ONCE = 8, 8


def canned_caption(crop: RGBImage) -> str:
    """One of ``CAPTIONS``, the same for crops of the same size in whatever order they come."""
    return CAPTIONS[sum(crop.shape) % len(CAPTIONS)]


class CannedCaptioner:
    """Lets the real captioner do its work and hands on something else."""

    def __init__(self, captioner: Captioner) -> None:
        self._captioner = captioner

    def caption(self, crops: Sequence[RGBImage]) -> list[str]:
        """As many captions as crops."""
        self._captioner.caption(crops)
        return [canned_caption(crop) for crop in crops]


def canned(caption: Callable[[RGBImage], str]) -> Callable[[RGBImage], str]:
    """The same for a captioner of one crop at a time."""

    def captioned(crop: RGBImage) -> str:
        caption(crop)
        return canned_caption(crop)

    return captioned


@torch.no_grad()
def passable(settings: MaskSettings, sam: Any, image: RGBImage) -> MaskSettings:
    """``settings`` with thresholds that the shares above of ``sam``'s masks of ``image`` pass."""
    predictor = SamPredictor(sam)
    predictor.set_image(image)
    points = predictor.transform.apply_coords(
        point_grid(_GRID) * image.shape[1::-1], image.shape[:2]
    )
    rated = [
        _rate(predictor, points[start : start + _POINTS_AT_ONCE], settings.stability_score_offset)
        for start in range(0, len(points), _POINTS_AT_ONCE)
    ]
    ious, stabilities = (np.concatenate(column) for column in zip(*rated, strict=True))
    least_iou = float(np.quantile(ious, 1 - PASS_BY_IOU))
    stable = float(np.quantile(stabilities[ious > least_iou], 1 - PASS_BY_STABILITY))
    # An empty mask, stability 0, never passes.
    return replace(
        settings, pred_iou_thresh=least_iou, stability_score_thresh=max(stable, LEAST_STABILITY)
    )


def _rate(predictor: Any, points: Any, offset: float) -> tuple[Any, Any]:
    """Predicted IoUs and stability scores of the three masks of each point, (3 N,) both."""
    prompts = torch.as_tensor(points, device=predictor.device)[:, None]
    labels = torch.ones(prompts.shape[:2], dtype=torch.int, device=predictor.device)
    logits, ious, _ = predictor.predict_torch(prompts, labels, return_logits=True)
    scores = calculate_stability_score(logits.flatten(0, 1), predictor.model.mask_threshold, offset)
    # An empty mask has none.
    return ious.flatten().cpu().numpy(), scores.nan_to_num(0.0).cpu().numpy()
