"""COCO instances of any tool → pictures with regions: run lengths of both kinds, and polygons."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from pycocotools import mask as coco

from ssa.errors import Fault, InputError
from ssa.formats.foreign import ForeignFile, ForeignPicture, ForeignRegion
from ssa.formats.sa1b_reading import rle_of
from ssa.json_fields import (
    FieldError,
    float_of,
    integer_of,
    is_list,
    list_of,
    object_of,
    objects_of,
    text_of,
)
from ssa.masks.run_lengths import encode_runs
from ssa.types import RLE

Fields = Mapping[str, Any]

# pycocotools holds five times as many points along each side; a mask of more says nothing more.
_MOST_SIDE = 1 << 16


def read_coco(payload: object) -> ForeignFile:
    """The pictures of a COCO instances file, in its order, each with its regions.

    A picture with a region that can't be read (no mask, runs that don't fill the picture, no such category)
    is left out and told: what is missing of it may not be gone. ``region_id``, which our own files have, is a
    region's ``region``. Raises ``InputError`` for what is no such file.
    """
    try:
        return _read(object_of(payload, "file"))
    except FieldError as error:
        raise InputError(
            f"expected a COCO instances file with a sound '{error}'; got none or another kind of value; it "
            "needs images, annotations and categories"
        ) from error


def is_coco(payload: object) -> bool:
    """Whether JSON looks like COCO instances: an object with lists of images and annotations."""
    return isinstance(payload, Mapping) and all(
        is_list(payload.get(name)) for name in ("images", "annotations")
    )


def coco_file(data: bytes) -> ForeignFile:
    """``read_coco`` of a file's bytes."""
    try:
        payload = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(
            "expected a COCO instances file; got no JSON; check what was saved"
        ) from error
    return read_coco(payload)


def _read(file: Fields) -> ForeignFile:
    labels = {
        integer_of(row.get("id"), "categories"): text_of(row.get("name"), "categories")
        for row in objects_of(file.get("categories", []), "categories")
    }
    rows: dict[int, list[Fields]] = {}
    for row in objects_of(file.get("annotations"), "annotations"):
        rows.setdefault(integer_of(row.get("image_id"), "image_id"), []).append(row)
    pictures: list[ForeignPicture] = []
    faults: list[Fault] = []
    for image in objects_of(file.get("images"), "images"):
        name = text_of(image.get("file_name"), "file_name")
        height, width = _side(image, "height"), _side(image, "width")
        try:
            own = rows.get(integer_of(image.get("id"), "images"), ())
            regions = tuple(_region(row, height, width, labels) for row in own)
            pictures.append(ForeignPicture(name, (height, width), regions))
        except _NoRegion as error:
            faults.append(Fault(name, "read", str(error)))
    return ForeignFile(tuple(pictures), tuple(faults))


class _NoRegion(Exception):
    """A row that is no region; the text says why."""


def _side(image: Fields, name: str) -> int:
    side = integer_of(image.get(name), name)
    if not 1 <= side <= _MOST_SIDE:
        raise FieldError(name)
    return side


def _region(row: Fields, height: int, width: int, labels: Mapping[int, str]) -> ForeignRegion:
    number = row.get("id")
    try:
        own = row.get("region_id")
        score = row.get("score", row.get("predicted_iou", 1.0))
        return ForeignRegion(
            mask=_mask(row.get("segmentation"), height, width),
            label=None if row.get("category_id") is None else _label(row, labels),
            region=str(own) if isinstance(own, str | int) else None,
            number=number if type(number) is int else None,
            score=float_of(score, "score"),
        )
    except KeyError as error:
        raise _NoRegion(
            f"expected a category that the file lists; got {error} in annotation {number}"
        ) from error
    except (FieldError, ValueError) as error:
        raise _NoRegion(
            f"expected annotation {number} to hold a mask as run lengths of the picture's size, or polygons; "
            f"got another '{error}'"
        ) from error


def _label(row: Fields, labels: Mapping[int, str]) -> str | None:
    label = labels[integer_of(row.get("category_id"), "category_id")]
    return label if label.strip() else None


def _mask(segmentation: object, height: int, width: int) -> RLE:
    if is_list(segmentation):
        return filled_polygons([_polygon(one) for one in segmentation], height, width)
    fields = object_of(segmentation, "segmentation")
    if [*list_of(fields.get("size"), "size")] != [height, width]:
        raise FieldError("size")
    if isinstance(fields.get("counts"), str):
        return rle_of(fields, "counts")
    runs = [integer_of(run, "counts") for run in list_of(fields.get("counts"), "counts")]
    return encode_runs(np.array(runs, np.int64), height, width)


def _polygon(value: object) -> list[float]:
    points = [float_of(one, "segmentation") for one in list_of(value, "segmentation")]
    if len(points) < 6 or len(points) % 2 or any(abs(one) > _MOST_SIDE for one in points):
        raise FieldError("segmentation")
    return points


def filled_polygons(polygons: list[list[float]], height: int, width: int) -> RLE:
    """What pycocotools makes of polygons, each x, y, x, y, ... in pixels, together.

    Raises ``ValueError`` for none.
    """
    if not polygons:
        raise ValueError("segmentation")
    found = coco.merge(coco.frPyObjects(polygons, height, width))
    return RLE(height, width, found["counts"].decode("ascii"))
