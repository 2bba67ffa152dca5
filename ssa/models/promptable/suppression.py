"""Of masks that are alike one stays: by box, across crops, and after specks and pinholes are gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor
from torchvision.ops import nms

from ssa.config import MaskSettings
from ssa.masks.run_lengths import area, box_of, clean_small_regions, decode_part, encode
from ssa.pictures.crops import scaled_box
from ssa.types import RLE, ExtentXYXY, MaskProposal


class Boxed(Protocol):
    """A mask that has a box, with inclusive ends, and a rating."""

    @property
    def box(self) -> ExtentXYXY:
        """First column and row, last column and row."""
        ...

    @property
    def predicted_iou(self) -> float:
        """How good the model thinks it is."""
        ...


One = TypeVar("One", bound=Boxed)


def best_of_each_box(found: Sequence[One], threshold: float) -> list[One]:
    """Non-maximum suppression by box, best predicted IoU first; equals keep their order."""
    boxes = torch.tensor([mask.box for mask in found], dtype=torch.float32).reshape(-1, 4)
    ious = torch.tensor([mask.predicted_iou for mask in found], dtype=torch.float32)
    return [found[i] for i in nms(boxes, ious, threshold).tolist()]


def without_copies_across_crops(
    found: Sequence[MaskProposal], threshold: float
) -> list[MaskProposal]:
    """Of masks with nearly the same box keep the one from the smallest crop: it saw most detail."""
    crop_areas = torch.tensor([p.crop_box_xywh[2] * p.crop_box_xywh[3] for p in found])
    return _nms(found, 1 / crop_areas, threshold)


def cleaned(found: Sequence[MaskProposal], settings: MaskSettings) -> list[MaskProposal]:
    """Masks without specks and pinholes; where two become alike, the one that needed no change stays."""
    pairs = [_clean_one(proposal, settings.min_mask_region_area) for proposal in found]
    untouched = torch.tensor([not changed for _, changed in pairs], dtype=torch.float32)
    threshold = max(settings.box_nms_thresh, settings.crop_nms_thresh)
    return _nms([proposal for proposal, _ in pairs], untouched, threshold)


def _clean_one(proposal: MaskProposal, min_area: int) -> tuple[MaskProposal, bool]:
    """The mask without specks and pinholes, and whether it had any; only its surroundings are looked at.

    They reach ``min_area`` pixels beyond its box, so background that goes on outside is never a pinhole.
    """
    height, width = proposal.rle.height, proposal.rle.width
    left, top, right, bottom = scaled_box(proposal.bbox_xywh, 1.0, height, width)
    x0, y0 = max(left - min_area, 0), max(top - min_area, 0)
    x1, y1 = min(right + min_area, width), min(bottom + min_area, height)
    part, changed = clean_small_regions(decode_part(proposal.rle, (x0, y0, x1, y1)), min_area)
    if not changed:
        return proposal, False
    mask = np.zeros((height, width), dtype=np.bool_)
    mask[y0:y1, x0:x1] = part
    rle = encode(mask)
    return replace(proposal, rle=rle, bbox_xywh=box_of(mask), area_px=area(rle)), True


def _nms(found: Sequence[MaskProposal], scores: Tensor, threshold: float) -> list[MaskProposal]:
    """Non-maximum suppression by box, best score first; equal scores keep their order."""
    boxes = torch.tensor([p.bbox_xywh for p in found], dtype=torch.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return [found[i] for i in nms(boxes, scores.float(), threshold).tolist()]


def distinct(found: Sequence[MaskProposal]) -> tuple[MaskProposal, ...]:
    """Every mask once, in order: one a pixel wide has a box without area, which suppression never drops."""
    first: dict[RLE, MaskProposal] = {}
    for proposal in found:
        first.setdefault(proposal.rle, proposal)
    return tuple(first.values())
