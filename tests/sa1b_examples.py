"""Pictures with masks as SA-1B's JSON has it, for those who write and those who read it."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
from fakes import proposal, squares

from ssa.formats import sa1b_files
from ssa.masks import run_lengths as masks
from ssa.types import (
    AnnotatedImage,
    Annotation,
    Evidence,
    MaskProposal,
    ScoredLabel,
    TreeNode,
    Vote,
)

NINE_KEYS = [
    "segmentation", "bbox", "area", "predicted_iou", "stability_score", "crop_box", "point_coords",
    "class_name", "class_proposals",
]  # fmt: skip


def example() -> AnnotatedImage:
    mask = np.zeros((4, 6), dtype=bool)
    mask[1:3, 2:5] = True
    evidence = Evidence(
        votes=(Vote("coco", "car", 0.75), Vote("ade20k", "van", 1.0)),
        caption="a red car",
        noun_phrases=("red car", "car"),
        ranking=(ScoredLabel("red car", 0.625), ScoredLabel("car", 0.375)),
        shares=(ScoredLabel("car", 0.75), ScoredLabel("red car", 0.25)),
    )
    # numpy scalars: what a step may well hand on, and json refuses
    proposal = MaskProposal(
        rle=masks.encode(mask),
        bbox_xywh=(2.0, 1.0, np.float64(2), np.float32(1)),  # type: ignore[arg-type]
        area_px=np.int64(6),  # type: ignore[arg-type]
        predicted_iou=np.float32(0.5),  # type: ignore[arg-type]
        stability_score=0.96875,
        crop_box_xywh=(0.0, 0.0, 6.0, 4.5),
        points_xy=((3.0, 1.5),),
    )
    return AnnotatedImage(4, 6, (Annotation(proposal, "car", ("red car", "car"), evidence),))


def in_tree(parent: int | None, level: int, part_of: str | None = None) -> Annotation:
    (annotation,) = example().annotations
    return replace(annotation, node=TreeNode(parent, level), part_of=part_of)


def example_mask() -> np.ndarray:
    return masks.decode(example().annotations[0].proposal.rle)


def annotated(*annotations: Annotation) -> AnnotatedImage:
    """A picture of 20 rows and 30 columns."""
    return AnnotatedImage(20, 30, annotations)


def given_masks(**fields: Any) -> sa1b_files.GivenMasks:
    """Two masks with ids of their own, as SA-1B's have."""
    first, second, *_ = map(proposal, squares(20, 30, 10))
    bare = annotated(Annotation(first, None), Annotation(second, None))
    document = json.loads(sa1b_files.dumps(bare, "s/a", "a.jpg"))
    for number, record in enumerate(document["annotations"]):
        record |= {"id": 500 + number, **fields}
    return sa1b_files.parse_masks(json.dumps(document).encode())
