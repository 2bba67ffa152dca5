"""Of masks that are alike one stays: by box, across crops, and after specks and pinholes are gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

import torch
from torch import Tensor
from torchvision.ops import nms

from ssa.config import MaskSettings
from ssa.masks.cleaning import cleaned
from ssa.masks.trace import Trace
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


def without_specks(found: Sequence[MaskProposal], settings: MaskSettings) -> list[MaskProposal]:
    """Masks without specks and pinholes; where two become alike, the one that needed no change stays."""
    pairs = [_clean_one(proposal, settings.min_mask_region_area) for proposal in found]
    untouched = torch.tensor([not changed for _, changed in pairs], dtype=torch.float32)
    threshold = max(settings.box_nms_thresh, settings.crop_nms_thresh)
    return _nms([proposal for proposal, _ in pairs], untouched, threshold)


def _clean_one(proposal: MaskProposal, min_area: int) -> tuple[MaskProposal, bool]:
    """The mask without specks and pinholes, and whether it had any."""
    height, width = proposal.rle.height, proposal.rle.width
    mask = Trace.of(proposal.rle)
    clean = cleaned(mask, height, width, min_area)
    if clean is mask:
        return proposal, False
    x0, y0, x1, y1 = map(float, clean.box)
    box = (x0, y0, x1 - x0, y1 - y0)
    rle = clean.rle(height, width)
    return replace(proposal, rle=rle, bbox_xywh=box, area_px=clean.area_px), True


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
