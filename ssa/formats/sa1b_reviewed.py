"""SA-1B's JSON once more, as people left it: one file a picture, each record with ``reviewed``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from ssa.errors import Fault
from ssa.files import write_whole
from ssa.formats import sa1b
from ssa.formats.categories import Categories
from ssa.formats.converting import each_converted
from ssa.formats.example import Example
from ssa.formats.options import AS_USUAL, FormatOptions
from ssa.formats.sa1b_files import picture_row
from ssa.formats.sa1b_ids import numbered
from ssa.types import AnnotatedImage, Evidence


def write_reviewed(
    examples: Iterable[Example],
    folder: Path,
    categories: Categories,
    options: FormatOptions = AS_USUAL,
) -> list[Fault]:
    """Write ``<key>.json`` under a folder; see ``Exporter``.

    Files are like those of a run (``ssa.formats.sa1b_files``), without what given masks had beyond SA-1B's
    fields. A record keeps its ``id``; a region that a person made gets the first number that is free.
    Rejected regions are there and say so. ``info`` says whose annotations they are.
    """

    def write(example: Example) -> None:
        write_whole(folder / f"{example.key}.json", dumps(example, options.made_by))

    faults: list[Fault] = []
    for _ in each_converted(examples, "reviewed", categories, write, faults):
        pass
    return faults


def dumps(example: Example, made_by: str) -> bytes:
    """The file of one picture, ASCII with escapes, newline at its end."""
    annotated = AnnotatedImage(example.height, example.width, example.annotations)
    detail = any(one.evidence != Evidence() for one in example.annotations)
    records = sa1b.to_records(annotated, detail)
    parents = [record.get("parent_id") for record in records]
    marks = [mark for _, mark in example.marked]
    for record, mark in zip(records, marks, strict=True):
        record |= {
            "id": mark.region if type(mark.region) is int else None,
            "reviewed": mark.reviewed,
        }
    records = numbered(records)
    for record, parent in zip(records, parents, strict=True):
        if parent is not None:
            record["parent_id"] = records[parent]["id"]
    image = picture_row(example.key, example.file_name, example.height, example.width)
    document = {"info": {"description": made_by}, "image": image, "annotations": records}
    return json.dumps(document, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"
