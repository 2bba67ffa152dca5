"""What there is to draw: regions with text and colour, and which of them lies on top of each pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssa.drawing.colours import GREY, RGB, label_colour
from ssa.labelling.clustering import NOISE
from ssa.masks import run_lengths as masks
from ssa.masks.painting import painting_order
from ssa.pictures.crops import crop, scaled_box
from ssa.types import AnnotatedImage, Annotation, BoxXYXY, LabelMap

NOBODY = -1
"""The owner of a pixel that no region has."""


@dataclass(frozen=True, slots=True)
class Region:
    """What is drawn as one: its name (none where words would crowd), its row in a legend, colour and box."""

    name: str
    entry: str
    colour: RGB
    box_xyxy: BoxXYXY


def regions_of(
    annotated: AnnotatedImage, doubtful_below: float = 0.0
) -> tuple[list[Region], NDArray[np.int32]]:
    """All regions, the largest first, and (H, W) the position of the one on top, ``NOBODY`` where none is.

    Where there is a label map, its classes are the regions. Names that are right with a probability of less
    than ``doubtful_below`` are grey. Raises ``ValueError`` for masks of another size.
    """
    if annotated.label_map is not None:
        return _classes(annotated.label_map)
    order = painting_order([one.proposal.area_px for one in annotated.annotations])
    regions = [
        _region(annotated.annotations[position], position, doubtful_below) for position in order
    ]
    owner = np.full((annotated.height, annotated.width), NOBODY, dtype=np.int32)
    for place, (region, position) in enumerate(zip(regions, order, strict=True)):
        mask = masks.decode(annotated.annotations[position].proposal.rle)
        if mask.shape != owner.shape:
            raise ValueError(f"expected masks of shape {owner.shape}; got {mask.shape}")
        crop(owner, region.box_xyxy)[crop(mask, region.box_xyxy)] = place
    return regions, owner


def _region(annotation: Annotation, position: int, doubtful_below: float) -> Region:
    height, width = annotation.proposal.rle.height, annotation.proposal.rle.width
    box_xyxy = scaled_box(annotation.proposal.bbox_xywh, 1.0, height, width)
    cluster, name = annotation.evidence.cluster_id, annotation.class_name
    if cluster == NOISE:
        return Region("", name or "no cluster", GREY, box_xyxy)  # like no other, says the grey
    if name is None:
        return Region("", "region", label_colour(f"region {position}"), box_xyxy)
    if annotation.confidence is not None and annotation.confidence < doubtful_below:
        return Region(f"{name}?", f"{name}?", GREY, box_xyxy)
    if cluster is None:
        return Region(name, name, label_colour(name), box_xyxy)
    own = f"cluster {cluster}"
    return Region(name, own if name == own else f"{own}: {name}", label_colour(own), box_xyxy)


def _classes(label_map: LabelMap) -> tuple[list[Region], NDArray[np.int32]]:
    """The classes that occur as regions, the largest first, and where each is."""
    areas = np.bincount(label_map.class_ids.ravel(), minlength=len(label_map.labels))
    order = [number for number in painting_order(areas.tolist()) if areas[number]]
    rank = np.full(len(areas), NOBODY, dtype=np.int32)
    rank[order] = np.arange(len(order))
    owner = rank[label_map.class_ids]
    names = [label_map.labels[number] for number in order]
    return [
        Region(name, name, label_colour(name), _box_of(owner == place))
        for place, name in enumerate(names)
    ], owner


def _box_of(mask: NDArray[np.bool_]) -> BoxXYXY:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
