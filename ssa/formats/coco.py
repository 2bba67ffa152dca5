"""COCO instances: one JSON of all pictures, masks and categories; masks as run lengths or as polygons."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from pycocotools import mask as coco

from ssa.errors import Fault
from ssa.formats.categories import Categories
from ssa.formats.converting import each_converted
from ssa.formats.example import Example, Mark, label_of, link_image
from ssa.formats.json_stream import json_lists
from ssa.formats.options import AS_USUAL, FormatOptions
from ssa.masks.polygons import polygons_of
from ssa.types import RLE, Annotation

Row = dict[str, Any]
Segmentation = Callable[[RLE], Row | list[list[int]]]


FILE = "annotations/instances_default.json"
"""Where datumaro and CVAT look for it; pictures are in ``images/`` beside, by their ``file_name``."""


def write_coco(
    examples: Iterable[Example],
    folder: Path,
    categories: Categories,
    options: FormatOptions = AS_USUAL,
) -> list[Fault]:
    """Write ``FILE`` under a folder, masks as compressed run lengths; see ``Exporter``.

    Pictures and masks are numbered from 1 on, in order. A picture's ``file_name`` is its key with its own
    suffix (``Example.picture_name``), which tells its source; its own name need not be unique. Boxes are
    left, top, columns, rows, so one pixel is 1 wide (unlike in SA-1B). ``predicted_iou``,
    ``stability_score`` and ``class_proposals`` are kept beside COCO's fields, ``region_id`` and ``reviewed``
    are a region's mark. With ``link_images`` a picture
    is put in ``images/``.
    """
    return _Writer(folder, categories, options, "coco", _run_lengths).write(examples)


def write_coco_polygons(
    examples: Iterable[Example],
    folder: Path,
    categories: Categories,
    options: FormatOptions = AS_USUAL,
) -> list[Fault]:
    """As ``write_coco``, with polygons: one for each part of a mask, its holes joined to it by cuts.

    To pycocotools they are the masks to the pixel (see ``ssa.masks.polygons``). COCO's reader takes no mask
    of no polygons, so an empty mask remains run lengths.
    """
    return _Writer(folder, categories, options, "coco-polygons", _polygons).write(examples)


@dataclass(frozen=True, slots=True)
class _Writer:
    folder: Path
    categories: Categories
    options: FormatOptions
    step: str
    segmentation: Segmentation

    def write(self, examples: Iterable[Example]) -> list[Fault]:
        faults: list[Fault] = []
        # The longest list first: it alone is written once.
        names = ("annotations", "images", "categories")
        with json_lists(self.folder / FILE, *names, head=head_of(self.options)) as lists:
            rows, images, classes = lists
            made = each_converted(examples, self.step, self.categories, self._rows, faults)
            numbers = count(1)
            for image_id, (example, found) in enumerate(made, start=1):
                images.add(image_row(example, image_id))
                for row in found:
                    rows.add({"id": next(numbers), "image_id": image_id, **row})
            for category_id, name in enumerate(self.categories.names, start=1):
                classes.add({"id": category_id, "name": name, "supercategory": ""})
        return faults

    def _rows(self, example: Example) -> list[Row]:
        """All of a picture at once: either each of its masks is written or none."""
        rows = [
            _annotation(annotation, mark, self.categories, self.segmentation)
            for annotation, mark in example.marked
        ]
        if self.options.link_images:
            link_image(example, self.folder / "images")
        return rows


def head_of(options: FormatOptions) -> Row:
    """What all of COCO's formats begin with."""
    return {"info": {"description": options.made_by}}


def image_row(example: Example, image_id: int) -> Row:
    """A picture as all of COCO's formats list it."""
    return {
        "id": image_id,
        "file_name": example.picture_name,
        "height": example.height,
        "width": example.width,
    }


def _annotation(
    annotation: Annotation, mark: Mark, categories: Categories, segmentation: Segmentation
) -> Row:
    proposal = annotation.proposal
    run_lengths = _run_lengths(proposal.rle)
    row: Row = {
        "category_id": categories.id_of(label_of(annotation)),
        "segmentation": segmentation(proposal.rle),
        # Both of the mask itself: what an owner of given masks wrote may be of another manner.
        "area": int(coco.area(run_lengths)),
        "bbox": [int(side) for side in coco.toBbox(run_lengths)],
        "iscrowd": 0,
        "predicted_iou": proposal.predicted_iou,
        "stability_score": proposal.stability_score,
        "region_id": mark.region,
        "reviewed": mark.reviewed,
    }
    if annotation.class_proposals:
        row["class_proposals"] = list(annotation.class_proposals)
    if annotation.confidence is not None:
        row["confidence"] = annotation.confidence
    return row


def _run_lengths(rle: RLE) -> Row:
    return {"size": [rle.height, rle.width], "counts": rle.counts}


def _polygons(rle: RLE) -> Row | list[list[int]]:
    flat: list[list[int]] = [polygon.ravel().tolist() for polygon in polygons_of(rle)]
    return flat or _run_lengths(rle)
