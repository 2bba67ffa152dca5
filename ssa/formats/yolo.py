"""YOLO segmentation: a text file a picture, a line a mask: its class, a polygon in shares of the picture."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ssa.errors import Fault
from ssa.files import whole_file, write_whole
from ssa.formats.categories import Categories
from ssa.formats.converting import each_converted, in_order
from ssa.formats.example import Example, label_of, link_image
from ssa.formats.options import AS_USUAL, FormatOptions
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
    sides = _write_sides((example for example, _ in made), folder, options.split)
    write_whole(folder / "data.yaml", _data_yaml(options, sides, categories.names).encode("utf-8"))
    return faults


def _write_sides(examples: Iterable[Example], folder: Path, split: float | None) -> Sides:
    """Where the pictures to train with are, and those to validate: lists of them, or all of ``images``."""
    lists = Sides("train.txt", "val.txt")
    if split is None:
        for _ in examples:
            pass
        for name in lists:  # of a run with another option
            (folder / name).unlink(missing_ok=True)
        return Sides("images", "images")
    with whole_file(folder / lists.train) as train, whole_file(folder / lists.val) as val:
        for example in examples:
            file = train if _share_of(example.key) < split else val
            # From "./" on readers take it for a path from the list's own folder.
            file.write(f"./images/{example.picture_name}\n".encode())
    return lists


def _share_of(key: str) -> float:
    """A number from 0 to 1 made of a key: pictures that come later move none to the other side."""
    return int.from_bytes(hashlib.sha256(key.encode("utf-8")).digest()[:6]) / (1 << 48)


class Sides(NamedTuple):
    """What ``data.yaml`` says of the pictures to train with, and of those to validate."""

    train: str
    val: str


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


def _data_yaml(options: FormatOptions, sides: Sides, names: Iterable[str]) -> str:
    # Without "path" readers start from this file's own folder.
    rows = [f"  {number}: {_quoted(name)}\n" for number, name in enumerate(names)]
    return (
        f"# {_in_comment(options.made_by)}\ntrain: {sides.train}\nval: {sides.val}\n"
        f"names:{' {}' if not rows else ''}\n{''.join(rows)}"
    )


def _in_comment(text: str) -> str:
    """On one line, and of what a YAML file may hold."""
    return "".join(one if one.isprintable() else " " for one in text)


def _quoted(text: str) -> str:
    """A YAML string; what could end a line or isn't to be seen is escaped."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08X}"
