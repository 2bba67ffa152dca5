"""YOLO segmentation: a text file a picture, a line a mask: its class, a polygon in shares of the picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from ssa.errors import Fault
from ssa.files import write_whole
from ssa.formats.categories import Categories
from ssa.formats.converting import each_converted, in_order
from ssa.formats.example import Example, label_of, link_image
from ssa.formats.options import AS_USUAL, FormatOptions
from ssa.formats.yolo_data import data_yaml, write_sides
from ssa.masks.polygons import Polygon, contour_of

# Where in a pixel a polygon's point lies. Readers go back to whole pixels, some by cutting and some by
# rounding: a little before the centre, both find the pixel that was meant.
_IN_PIXEL = 0.4


def write_yolo(
    examples: Iterable[Example],
    folder: Path,
    categories: Categories,
    options: FormatOptions = AS_USUAL,
) -> list[Fault]:
    """Write ``labels/<picture_stem>.txt`` and ``data.yaml`` under a folder; see ``Exporter``.

    The pictures belong in ``images/`` beside, each as its ``Example.picture_name``; ``link_images`` puts them
    there. With ``split`` the lists ``train.txt`` and ``val.txt`` say which is for what; without, all are for
    both. A class is its category's id - 1. A line is one mask: a polygon through the centres of its border
    pixels (``ssa.masks.polygons.contour_of``). What readers paint with ``cv2.fillPoly`` is then the mask
    to the pixel, but for the lines that join several parts. An empty mask has no line, a
    picture without masks an empty file.

    Of two pictures that differ in their suffix alone the second is left out. Examples must come in the order
    of their keys: ``ValueError`` for another.
    """
    taken = _Taken()

    def write(example: Example) -> None:
        name = taken.by(example)
        text = "".join(_lines(example, categories))
        if options.link_images:
            link_image(example, folder / "images")
        write_whole(folder / "labels" / name, text.encode("ascii"))

    faults: list[Fault] = []
    made = each_converted(in_order(examples), "yolo", categories, write, faults)
    sides = write_sides((example for example, _ in made), folder, options.split)
    write_whole(folder / "data.yaml", data_yaml(options, sides, categories.names).encode("utf-8"))
    return faults


class _Taken:
    """Which names of text files are taken, of those that a later key may still want."""

    def __init__(self) -> None:
        self._key_of_stem: dict[str, str] = {}

    def by(self, example: Example) -> str:
        """The file's name for an example. Raises ``ValueError`` if one with an earlier key has it."""
        # Keys come in order, and those that want a stem's file are the stem itself or begin with it and ".":
        # none follows "stem/". What stays begins this key itself, so there are never many.
        key, stem = example.key, example.picture_stem
        self._key_of_stem = {
            other: first for other, first in self._key_of_stem.items() if key < f"{other}/"
        }
        first = self._key_of_stem.setdefault(stem, key)
        if first != key:
            raise ValueError(
                f"expected one picture for labels/{stem}.txt; got {first} before; rename one of the two"
            )
        return f"{stem}.txt"


def _lines(example: Example, categories: Categories) -> Iterator[str]:
    for annotation in example.annotations:
        contour = contour_of(annotation.proposal.rle)
        if len(contour):
            class_id = categories.id_of(label_of(annotation)) - 1
            yield f"{class_id} {_shares(contour, example)}\n"


def _shares(contour: Polygon, example: Example) -> str:
    shares = (contour + _IN_PIXEL) / np.array([example.width, example.height])
    return " ".join(map("{:.6f}".format, shares.ravel().tolist()))
