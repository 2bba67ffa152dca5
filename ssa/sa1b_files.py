"""A picture's file in the manner of SA-1B: one JSON object with the picture and its masks.

    {"image": {"image_id", "width", "height", "file_name"}, "annotations": [{...}, ...]}

Records are those of ``ssa.sa1b``. Where masks were given, their records come back with all their fields as
they were, and what was found out is added.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ssa import sa1b
from ssa.errors import InputError
from ssa.json_fields import is_list
from ssa.types import AnnotatedImage, Annotation, MaskProposal

# What a run may add to a record that came with a mask, beside its place among wholes and parts.
_ADDED = ("class_name", "class_proposals", "level", "part_of", "detail")


@dataclass(frozen=True, slots=True, eq=False)
class GivenMasks:
    """Masks that came with a picture: the file's object as it was, and what the engine needs of it."""

    document: Mapping[str, Any]
    proposals: tuple[MaskProposal, ...]


def parse_masks(data: bytes) -> GivenMasks:
    """Read a file of SA-1B. Names that are in it already are left aside: masks are named anew.

    Raises ``InputError`` where it is none, with the record and field that are wrong.
    """
    document = _parsed(data)
    found = sa1b.from_records(document)
    proposals = tuple(one.proposal if isinstance(one, Annotation) else one for one in found)
    return GivenMasks(document, proposals)


def dumps(
    annotated: AnnotatedImage,
    key: str,
    file_name: str,
    given: GivenMasks | None = None,
    detail: bool = False,
) -> bytes:
    """The file of one picture, ASCII with escapes, newline at its end; equal pictures give equal bytes.

    ``key`` is the picture's unique name: a new picture's ``image_id`` is a number made of it.
    """
    records = sa1b.to_records(annotated, detail)
    if given is None:
        document: dict[str, Any] = {
            "image": {
                "image_id": _number_of(key),
                "width": annotated.width,
                "height": annotated.height,
                "file_name": file_name,
            }
        }
    else:
        document = dict(given.document)
        originals = document["annotations"]
        records = [
            _extended(original, record, originals)
            for original, record in zip(originals, records, strict=True)
        ]
    document["annotations"] = records
    return json.dumps(document, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"


def loads(data: bytes) -> tuple[Mapping[str, Any], tuple[Annotation, ...]]:
    """What is said of the picture in a file that ``dumps`` made, and its annotations.

    Raises ``InputError`` where the file is damaged.
    """
    document = _parsed(data)
    image = document.get("image")
    found = sa1b.from_records(document)
    annotations = (one if isinstance(one, Annotation) else Annotation(one, None) for one in found)
    return image if isinstance(image, Mapping) else {}, tuple(annotations)


def _parsed(data: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(
            "expected a JSON file of SA-1B; got one that is cut short or damaged; bring it again"
        ) from error
    if not isinstance(document, Mapping) or not is_list(document.get("annotations")):
        raise InputError(
            "expected a JSON object with 'annotations', as SA-1B has them; got something else; "
            "leave it out, or have masks found with --masks sam"
        )
    return document


def _extended(
    original: Mapping[str, Any], record: sa1b.Record, originals: list[Mapping[str, Any]]
) -> sa1b.Record:
    """A given record with what was found out; masks keep the ``id`` they came with."""
    extended = {name: value for name, value in original.items() if name not in _ADDED}
    extended |= {name: record[name] for name in _ADDED if name in record}
    if "level" in record:
        parent = record["parent_id"]
        extended.setdefault("id", record["id"])
        extended["parent_id"] = None if parent is None else originals[parent].get("id", parent)
    return extended


def _number_of(key: str) -> int:
    """48 bits of a hash: a number that JSON readers of any language hold exactly."""
    return int.from_bytes(hashlib.sha256(key.encode("utf-8")).digest()[:6])
