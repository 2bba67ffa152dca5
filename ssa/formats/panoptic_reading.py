"""COCO panoptic of any tool → pictures with segments, one at a time: the JSON is held, the PNGs are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ssa.errors import InputError
from ssa.json_fields import FieldError, integer_of, is_list, object_of, objects_of, text_of
from ssa.masks.run_lengths import encode
from ssa.types import RLE

Fields = Mapping[str, Any]
Segments = tuple[tuple[RLE, str], ...]
"""Masks with their labels."""


@dataclass(frozen=True, slots=True)
class PanopticPicture:
    """A picture that the file speaks of; ``name`` is the picture's, ``path`` where its segments' PNG is.

    ``labels`` are those of the segments' ids; a crowd of things is no segment.
    """

    name: str
    path: Path
    labels: Mapping[int, str]

    def read(self) -> tuple[tuple[int, int], Segments]:
        """The size of the PNG in pixels, (H, W), and the segments that have pixels in it, in order of ids.

        Raises ``InputError`` where there is no such PNG.
        """
        ids = _ids_in(self.path)
        there = [number for number in np.unique(ids).tolist() if number in self.labels]
        segments = tuple((encode(ids == number), self.labels[number]) for number in there)
        return (ids.shape[0], ids.shape[1]), segments


def is_panoptic(payload: object) -> bool:
    """Whether JSON looks like COCO panoptic: annotations with lists of segments."""
    if not isinstance(payload, Mapping) or not is_list(payload.get("annotations")):
        return False
    rows = payload["annotations"]
    return bool(rows) and all(
        isinstance(row, Mapping) and is_list(row.get("segments_info")) for row in rows
    )


def pictures_beside(path: Path) -> Path:
    """The folder of a file's PNGs: called as the file is, or ``png`` beside it."""
    own = path.with_suffix("")
    return own if own.is_dir() else path.parent / "png"


def read_panoptic(payload: object, folder: Path) -> list[PanopticPicture]:
    """The pictures of a COCO panoptic file whose PNGs lie in ``folder``; ``InputError`` for no such."""
    try:
        return _read(object_of(payload, "file"), folder)
    except (FieldError, KeyError) as error:
        raise InputError(
            f"expected COCO panoptic JSON with a sound {error}; got none or another kind of value; it needs "
            "images, annotations with segments_info, and categories"
        ) from error


def _read(file: Fields, folder: Path) -> list[PanopticPicture]:
    labels = {
        integer_of(row.get("id"), "categories"): text_of(row.get("name"), "categories")
        for row in objects_of(file.get("categories"), "categories")
    }
    names = {
        integer_of(row.get("id"), "images"): text_of(row.get("file_name"), "file_name")
        for row in objects_of(file.get("images"), "images")
    }
    found = []
    for row in objects_of(file.get("annotations"), "annotations"):
        segments = {
            integer_of(one.get("id"), "id"): labels[
                integer_of(one.get("category_id"), "category_id")
            ]
            for one in objects_of(row.get("segments_info"), "segments_info")
            if one.get("iscrowd") != 1
        }
        own = text_of(row.get("file_name"), "file_name")
        name = names[integer_of(row.get("image_id"), "image_id")]
        found.append(PanopticPicture(name, _inside(folder, own), segments))
    return found


def _inside(folder: Path, name: str) -> Path:
    """A path in the folder: a file may name nothing that lies elsewhere."""
    path = folder / name
    if ".." in path.parts or Path(name).is_absolute():
        raise FieldError("file_name")
    return path


def _ids_in(path: Path) -> NDArray[np.int64]:
    """(H, W) the id of each pixel: red + 256 × green + 65536 × blue."""
    try:
        with Image.open(path, formats=["PNG"]) as picture:
            colours = np.asarray(picture.convert("RGB"), np.int64)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"expected a PNG of segments' ids; {path.name} can't be read") from error
    red, green, blue = np.moveaxis(colours, -1, 0)
    ids: NDArray[np.int64] = red + 256 * green + 65536 * blue
    return ids
