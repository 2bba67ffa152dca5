"""The Parquet files' columns, the rows that an example gives, and how files grow by them; imports pyarrow.

The names are those of SA-1B's JSON where it has one. Columns with "or null" in their description are empty
where a run was not asked for them or a stage was not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow.parquet import ParquetWriter

from ssa.files import whole_file
from ssa.formats.categories import Categories
from ssa.formats.example import Example, label_of
from ssa.types import Annotation, Evidence, MaskProposal, ScoredLabel

Row = dict[str, Any]

ROWS_PER_GROUP = 4096
"""What is held in memory, and what a reader reads at once: some 10 MB of run lengths."""

_TEXTS = pa.list_(pa.string())
_BOX = pa.list_(pa.float64(), 4)
_POINTS = pa.list_(pa.list_(pa.float64(), 2))
_VOTES = pa.list_(
    pa.struct([("source", pa.string()), ("label", pa.string()), ("share", pa.float64())])
)
_SCORES = pa.list_(pa.struct([("label", pa.string()), ("score", pa.float64())]))


def _column(name: str, kind: pa.DataType, description: str) -> pa.Field:
    optional = description.endswith("or null")
    return pa.field(name, kind, nullable=optional, metadata={"description": description})


_PICTURE = [
    _column("key", pa.string(), "the picture, unique among all of a run"),
    _column("file_name", pa.string(), "the picture's own name inside its source"),
    _column("height", pa.int32(), "of the picture, pixels"),
    _column("width", pa.int32(), "of the picture, pixels"),
]

PICTURES = pa.schema([*_PICTURE, _column("masks", pa.int32(), "how many masks it has, perhaps 0")])

MASKS = pa.schema(
    [
        *_PICTURE,
        _column("mask", pa.int32(), "position of the mask in its picture, from 0"),
        _column("region_id", pa.string(), "what the region is called in its picture for good"),
        _column("reviewed", pa.string(), "accepted, corrected, rejected, unsure or none"),
        _column("category_id", pa.int32(), "the label's number, from 1; see categories.json"),
        _column("class_name", pa.string(), "the label, or null"),
        _column("class_proposals", _TEXTS, "labels it was chosen from, best first by CLIP"),
        _column("part_of", pa.string(), "label of the whole it was named a part of, or null"),
        _column("confidence", pa.float64(), "probability that the label is right, or null"),
        _column("parent", pa.int32(), "position of the whole it is a part of, or null"),
        _column("level", pa.int32(), "how many wholes are above it, or null"),
        _column("granularity", pa.int32(), "Semantic-SAM's level, 1 to 6, or null"),
        _column("cluster_id", pa.int32(), "its group of alike masks, -1 for none of them, or null"),
        _column("area_px", pa.int64(), "pixels inside"),
        _column("bbox", _BOX, "left, top, last column - left, last row - top, pixels, as in SA-1B"),
        _column("predicted_iou", pa.float64(), "the model's estimate of the mask's quality"),
        _column("stability_score", pa.float64(), "0 to 1"),
        _column(
            "crop_box", _BOX, "the part of the picture the model saw: left, top, width, height"
        ),
        _column("points", _POINTS, "the model's prompts: x, y, pixels"),
        _column("rle_counts", pa.string(), "COCO's compressed run lengths in height × width"),
        _column("caption", pa.string(), "what the captioner said of the crop, or null"),
        _column("votes", _VOTES, "majority classes, shares 0 to 1, or null"),
        _column("noun_phrases", _TEXTS, "of the caption, or null"),
        _column("clip", _SCORES, "candidates by CLIP's softmax, or null"),
        _column("clipseg", _SCORES, "proposals by share of the mask's pixels, or null"),
    ]
)


class GrowingTable:
    """A Parquet file that grows by row groups."""

    def __init__(self, writer: ParquetWriter, schema: pa.Schema) -> None:
        self._writer, self._schema = writer, schema
        self._rows: list[Row] = []

    def add(self, rows: list[Row]) -> None:
        """Add rows; they are written as soon as they fill a group."""
        self._rows += rows
        while len(self._rows) >= ROWS_PER_GROUP:
            self._write(self._rows[:ROWS_PER_GROUP])
            del self._rows[:ROWS_PER_GROUP]

    def finish(self) -> None:
        """Write what is left."""
        if self._rows:
            self._write(self._rows)

    def _write(self, rows: list[Row]) -> None:
        self._writer.write_table(pa.Table.from_pylist(rows, schema=self._schema))


@contextmanager
def growing_table(path: Path, schema: pa.Schema) -> Iterator[GrowingTable]:
    """A table that becomes the file ``path`` when the block ends well."""
    with whole_file(path) as file, ParquetWriter(file, schema, compression="zstd") as writer:
        table = GrowingTable(writer, schema)
        yield table
        table.finish()


def picture_row(example: Example) -> Row:
    """The example's row of the table ``PICTURES``."""
    return {**_picture(example), "masks": len(example.annotations)}


def mask_rows(example: Example, categories: Categories) -> list[Row]:
    """The example's rows of the table ``MASKS``, one a mask."""
    return [
        {
            **_picture(example),
            "mask": position,
            "region_id": str(mark.region),
            "reviewed": mark.reviewed,
            "category_id": categories.id_of(label_of(annotation)),
            **_names(annotation),
            **_mask(annotation.proposal),
            **_evidence(annotation.evidence),
        }
        for position, (annotation, mark) in enumerate(example.marked)
    ]


def _picture(example: Example) -> Row:
    return {
        "key": example.key,
        "file_name": example.file_name,
        "height": example.height,
        "width": example.width,
    }


def _names(annotation: Annotation) -> Row:
    node = annotation.node
    return {
        "class_name": annotation.class_name,
        "class_proposals": list(annotation.class_proposals),
        "part_of": annotation.part_of,
        "confidence": annotation.confidence,
        "parent": None if node is None else node.parent,
        "level": None if node is None else node.level,
    }


def _mask(proposal: MaskProposal) -> Row:
    return {
        "granularity": proposal.granularity,
        "area_px": proposal.area_px,
        "bbox": list(proposal.bbox_xywh),
        "predicted_iou": proposal.predicted_iou,
        "stability_score": proposal.stability_score,
        "crop_box": list(proposal.crop_box_xywh),
        "points": [list(point) for point in proposal.points_xy],
        "rle_counts": proposal.rle.counts,
    }


def _evidence(evidence: Evidence) -> Row:
    return {
        "cluster_id": evidence.cluster_id,
        "caption": evidence.caption or None,
        "votes": [
            {"source": vote.source, "label": vote.label, "share": vote.share}
            for vote in evidence.votes
        ]
        or None,
        "noun_phrases": list(evidence.noun_phrases) or None,
        "clip": _scores(evidence.ranking),
        "clipseg": _scores(evidence.shares),
    }


def _scores(scores: tuple[ScoredLabel, ...]) -> list[Row] | None:
    return [{"label": one.label, "score": one.score} for one in scores] or None
