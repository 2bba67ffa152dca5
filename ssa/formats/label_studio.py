"""Label Studio's tasks for import: every mask a brush stroke to correct, every category a label.

The JSON is a list of tasks with predictions, as Label Studio's guide to pre-annotations has it; the XML is
the labelling configuration that fits them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from ssa.drawing.colours import hexadecimal, label_colour
from ssa.errors import Fault
from ssa.files import whole_file
from ssa.formats.brush_rle import brush_rle
from ssa.formats.categories import Categories
from ssa.formats.converting import each_converted
from ssa.formats.example import Example, Mark, label_of
from ssa.formats.json_stream import json_list
from ssa.formats.options import AS_USUAL, FormatOptions
from ssa.types import Annotation

Row = dict[str, Any]

REGION = "mask-"
"""What comes before a region's id where that is Label Studio's."""

# What the tasks and the configuration call the brush and the picture.
_BRUSH, _IMAGE = "tag", "image"

# XML 1.0 has no way to write these.
_NOT_IN_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_label_studio(
    examples: Iterable[Example],
    folder: Path,
    categories: Categories,
    options: FormatOptions = AS_USUAL,
) -> list[Fault]:
    """Write ``tasks.json`` and ``config.xml`` under a folder; see ``Exporter``.

    A task's picture is ``picture_prefix`` and the example's ``picture_name``: "https://example.org/" if
    pictures are served there, "/data/local-files/?d=" for Label Studio's own local storage. Every mask is a
    region, whether others hide it or not, with ``predicted_iou`` for its score; a picture without masks is a
    task too. The model's version is ``made_by``.
    """
    _write_configuration(folder / "config.xml", categories)

    def task(example: Example) -> Row:
        return _task(example, options)

    faults: list[Fault] = []
    with json_list(folder / "tasks.json") as tasks:
        for _, row in each_converted(examples, "label-studio", categories, task, faults):
            tasks.add(row)
    return faults


def _task(example: Example, options: FormatOptions) -> Row:
    regions = [_region(annotation, mark) for annotation, mark in example.marked]
    return {
        "data": {_IMAGE: options.picture_prefix + example.picture_name},
        "predictions": [{"model_version": options.made_by, "result": regions}],
    }


def _region(annotation: Annotation, mark: Mark) -> Row:
    rle = annotation.proposal.rle
    return {
        "id": f"{REGION}{mark.region}",
        "from_name": _BRUSH,
        "to_name": _IMAGE,
        "type": "brushlabels",
        "original_width": rle.width,
        "original_height": rle.height,
        "image_rotation": 0,
        "value": {
            "format": "rle",
            "rle": list(brush_rle(rle)),
            "brushlabels": [writable(label_of(annotation))],
        },
        "score": float(annotation.proposal.predicted_iou),
    }


def _write_configuration(path: Path, categories: Categories) -> None:
    with whole_file(path) as file:
        file.write(
            f'<View>\n  <Image name="{_IMAGE}" value="${_IMAGE}" zoom="true"/>\n'
            f'  <BrushLabels name="{_BRUSH}" toName="{_IMAGE}">\n'.encode()
        )
        for name in categories.names:
            file.write(_label(name).encode())
        file.write(b"  </BrushLabels>\n</View>\n")


def _label(name: str) -> str:
    colour = hexadecimal(label_colour(name))
    return f'    <Label value={quoteattr(writable(name))} background="{colour}"/>\n'


def writable(label: str) -> str:
    """The label as both files have it: what XML can't hold becomes a question mark."""
    return _NOT_IN_XML.sub("?", label)
