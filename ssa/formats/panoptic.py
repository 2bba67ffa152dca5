"""COCO panoptic: each pixel belongs to one segment at most; a PNG of segment ids a picture, and one JSON.

The format is that of "COCO 2018 panoptic segmentation": in the PNG a pixel's id is red + 256 × green +
65536 × blue, 0 where there is no segment.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import find_objects

from ssa.drawing.colours import label_colour
from ssa.errors import Fault
from ssa.files import write_whole
from ssa.formats.categories import Categories
from ssa.formats.coco import Row, head_of, image_row
from ssa.formats.converting import each_converted
from ssa.formats.example import Example, label_of
from ssa.formats.json_stream import json_lists
from ssa.formats.options import AS_USUAL, FormatOptions
from ssa.masks.painting import paint


def write_panoptic(
    examples: Iterable[Example],
    folder: Path,
    categories: Categories,
    options: FormatOptions = AS_USUAL,
) -> list[Fault]:
    """Write ``panoptic.json`` and ``png/<key>.png`` under a folder; see ``Exporter``.

    Overlap is resolved as in ``ssa.masks.painting``: smaller masks lie on top. A segment's id is its mask's
    position in the picture + 1; its area and box (left, top, columns, rows) are those of its visible part,
    and a mask that others hide wholly is no segment. Every category is a thing: an open vocabulary has no
    stuff. Pictures are called as in ``ssa.formats.coco``.
    """
    faults: list[Fault] = []

    def segments(example: Example) -> list[Row]:
        ids = _segment_ids(example)
        write_whole(folder / "png" / _png_name(example), _encode(ids))
        return _segments(ids, example, categories)

    path, names = folder / "panoptic.json", ("annotations", "images", "categories")
    with json_lists(path, *names, head=head_of(options)) as (rows, images, classes):
        made = each_converted(examples, "panoptic", categories, segments, faults)
        for image_id, (example, found) in enumerate(made, start=1):
            images.add(image_row(example, image_id))
            rows.add(
                {"image_id": image_id, "file_name": _png_name(example), "segments_info": found}
            )
        for category_id, name in enumerate(categories.names, start=1):
            classes.add(_category(category_id, name))
    return faults


def _segment_ids(example: Example) -> NDArray[np.int32]:
    """(H, W) the segment of each pixel, 0 for none."""
    masks = [annotation.proposal.rle for annotation in example.annotations]
    return paint(masks, example.height, example.width) + 1


def _encode(ids: NDArray[np.int32]) -> bytes:
    """The ids as an RGB PNG, the lowest byte red."""
    colours = ids.astype("<u4").view(np.uint8).reshape(*ids.shape, 4)[..., :3]
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(colours)).save(buffer, format="PNG")
    return buffer.getvalue()


def _segments(ids: NDArray[np.int32], example: Example, categories: Categories) -> list[Row]:
    areas = np.bincount(ids.ravel())
    return [
        {
            "id": number,
            "category_id": categories.id_of(label_of(example.annotations[number - 1])),
            "area": int(areas[number]),
            "bbox": _box(*place),
            "iscrowd": 0,
        }
        for number, place in enumerate(find_objects(ids), start=1)
        if place is not None
    ]


def _box(rows: slice, columns: slice) -> list[int]:
    left, top = columns.start, rows.start
    return [left, top, columns.stop - left, rows.stop - top]


def _png_name(example: Example) -> str:
    return f"{example.key}.png"


def _category(category_id: int, name: str) -> Row:
    return {
        "id": category_id,
        "name": name,
        "supercategory": "",
        "isthing": 1,
        # Each by itself: a colour then stays when later runs bring more categories.
        "color": list(label_colour(name)),
    }
