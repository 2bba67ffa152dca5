"""Annotated pictures as the objects of other libraries, each imported where it is asked for alone."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from pycocotools import mask as coco

from ssa.errors import InputError
from ssa.formats.categories import Categories
from ssa.formats.example import label_of
from ssa.masks import run_lengths as masks
from ssa.types import RLE, AnnotatedImage, Annotation, BoolMask, BoxXYXY

if TYPE_CHECKING:
    import supervision


def to_supervision(
    annotated: AnnotatedImage, categories: Categories | None = None
) -> supervision.Detections:
    """The masks as ``supervision.Detections``, in their order.

    ``mask`` is dense: (n, H, W) bool, n × H × W bytes; 100 masks of a 1500 × 2250 picture take 338 MB.
    ``xyxy`` ends outside the mask, ``confidence`` is ``predicted_iou``. ``class_id`` is the category's id
    - 1; without categories, labels are numbered from 0 on as they come in this picture. ``data`` holds
    ``class_name``, and a bare mask's is "region". Raises ``InputError`` where supervision is not installed.
    """
    Detections: type[supervision.Detections] = _imported("supervision").Detections
    if not annotated.annotations:
        return Detections.empty()
    labels = [label_of(annotation) for annotation in annotated.annotations]
    known = categories if categories is not None else Categories().extended(labels)
    regions = [annotation.proposal for annotation in annotated.annotations]
    return Detections(
        xyxy=np.array([_box(region.rle) for region in regions], dtype=np.float32),
        mask=_dense(annotated),
        confidence=np.array([region.predicted_iou for region in regions], dtype=np.float32),
        class_id=np.array([known.id_of(label) - 1 for label in labels]),
        data={"class_name": np.array(labels)},
    )


def to_fiftyone(annotated: AnnotatedImage) -> Any:
    """The masks as ``fiftyone.Detections``, in their order.

    Boxes are left, top, width, height in shares of the picture, masks are cut to them, ``confidence`` is
    ``predicted_iou``; ``stability_score`` and ``class_proposals`` are further fields. FiftyOne has no
    empty boxes, so empty masks are left out. Raises ``InputError`` where fiftyone is not installed.
    """
    fo = _imported("fiftyone")
    return fo.Detections(
        detections=[
            fo.Detection(**fields)
            for annotation in annotated.annotations
            for fields in _detection(annotation)
        ]
    )


def _imported(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise InputError(
            f"expected {name} to be installed; {error.name} is not; run `pip install {name}`"
        ) from error


def _dense(annotated: AnnotatedImage) -> BoolMask:
    """(n, H, W) bool; filled one by one, so that they are in memory once."""
    shape = len(annotated.annotations), annotated.height, annotated.width
    dense = np.empty(shape, dtype=np.bool_)
    for mask, annotation in zip(dense, annotated.annotations, strict=True):
        mask[:] = masks.decode(annotation.proposal.rle)
    return dense


def _detection(annotation: Annotation) -> Iterator[dict[str, Any]]:
    """What a FiftyOne detection holds; nothing of an empty mask."""
    proposal = annotation.proposal
    left, top, right, bottom = box = _box(proposal.rle)
    if left == right:
        return
    width, height = proposal.rle.width, proposal.rle.height
    yield {
        "label": label_of(annotation),
        "bounding_box": [
            left / width,
            top / height,
            (right - left) / width,
            (bottom - top) / height,
        ],
        "mask": masks.decode_part(proposal.rle, box),
        "confidence": proposal.predicted_iou,
        "stability_score": proposal.stability_score,
        "class_proposals": list(annotation.class_proposals),
    }


def _box(rle: RLE) -> BoxXYXY:
    """First column and row, and those behind the last; zeros if empty."""
    left, top, width, height = (
        int(side) for side in coco.toBbox({"size": [rle.height, rle.width], "counts": rle.counts})
    )
    return left, top, left + width, top + height
