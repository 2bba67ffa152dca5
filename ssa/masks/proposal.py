"""A mask from elsewhere as if a mask model had found it: drawn, true, or given."""

from __future__ import annotations

from ssa.masks.run_lengths import box_of, encode
from ssa.types import BoolMask, MaskProposal


def proposal_of(mask: BoolMask, *points_xy: tuple[float, float]) -> MaskProposal:
    """A mask (H, W) that a model was sure of (both scores are 1), prompted by these points, in pixels."""
    height, width = mask.shape
    return MaskProposal(
        rle=encode(mask),
        bbox_xywh=box_of(mask),
        area_px=int(mask.sum()),
        predicted_iou=1.0,
        stability_score=1.0,
        crop_box_xywh=(0.0, 0.0, float(width), float(height)),
        points_xy=points_xy,
    )
