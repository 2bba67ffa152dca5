"""Pictures with regions, for the tests of what is drawn."""

import numpy as np

from ssa.drawing import names
from ssa.drawing.regions import regions_of
from ssa.masks import run_lengths as masks
from ssa.types import AnnotatedImage, Annotation, BoolMask, Evidence, MaskProposal, RGBImage


def annotation(mask: BoolMask, label: str | None, cluster_id: int | None = None) -> Annotation:
    height, width = mask.shape
    proposal = MaskProposal(
        rle=masks.encode(mask),
        bbox_xywh=masks.box_of(mask),
        area_px=int(mask.sum()),
        predicted_iou=0.9,
        stability_score=0.9,
        crop_box_xywh=(0, 0, width, height),
        points_xy=((0, 0),),
    )
    return Annotation(proposal, label, (), Evidence(cluster_id=cluster_id))


def annotated(*regions: tuple[BoolMask, str]) -> AnnotatedImage:
    height, width = regions[0][0].shape
    return AnnotatedImage(height, width, tuple(annotation(mask, label) for mask, label in regions))


def rectangle(shape_hw: tuple[int, int], top: int, left: int, bottom: int, right: int) -> BoolMask:
    mask = np.zeros(shape_hw, dtype=bool)
    mask[top:bottom, left:right] = True
    return mask


def grey(height: int, width: int, value: int = 120) -> RGBImage:
    return np.full((height, width, 3), value, dtype=np.uint8)


def place_names(image: AnnotatedImage) -> dict[str, tuple[int, int, int, int]]:
    """Where names stand, by their text, as left, top, right, bottom."""
    found = names.place_names(*regions_of(image))
    return {name.text: name.box_xyxy for name in found.values()}


def of_groups(*regions: tuple[BoolMask, str | None, int | None]) -> AnnotatedImage:
    height, width = regions[0][0].shape
    return AnnotatedImage(height, width, tuple(annotation(*region) for region in regions))
