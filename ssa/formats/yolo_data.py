"""What trainers of YOLO are told of a set: which pictures are for what, and the names of all classes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ssa.files import whole_file
from ssa.formats.example import Example
from ssa.formats.options import FormatOptions


class Sides(NamedTuple):
    """What ``data.yaml`` says of the pictures to train with, and of those to validate."""

    train: str
    val: str


def write_sides(examples: Iterable[Example], folder: Path, split: float | None) -> Sides:
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


def data_yaml(options: FormatOptions, sides: Sides, names: Iterable[str]) -> str:
    """The text of ``data.yaml``."""
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
