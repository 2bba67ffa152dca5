"""A picture's file in the manner of SA-1B: one JSON object with the picture and its masks.

    {"image": {"image_id", "width", "height", "file_name"}, "annotations": [{...}, ...]}

Records are those of ``ssa.formats.sa1b``. Where masks were given, their records come back with all their
fields as they were, and what was found out is added; so does what was said of the picture.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ssa.errors import InputError
from ssa.formats import sa1b
from ssa.formats.sa1b_ids import ids_in_tree, numbered
from ssa.formats.sa1b_reading import from_records
from ssa.json_fields import FieldError, integer_of, is_list
from ssa.types import AnnotatedImage, Annotation, MaskProposal

# What a run may add to a record that came with a mask, beside its place among wholes and parts.
_ADDED = ("class_name", "class_proposals", "level", "part_of", "confidence", "detail")


@dataclass(frozen=True, slots=True, eq=False)
class GivenMasks:
    """Masks that came with a picture: the file's object as it was, and what the engine needs of it."""

    document: Mapping[str, Any]
    proposals: tuple[MaskProposal, ...]

    @property
    def stated_size_hw(self) -> tuple[int, int] | None:
        """Height and width of the picture as the file has them, None where they aren't two whole numbers."""
        image = _image_in(self.document)
        try:
            return integer_of(image.get("height"), "height"), integer_of(
                image.get("width"), "width"
            )
        except FieldError:
            return None


def parse_masks(data: bytes) -> GivenMasks:
    """Read a file of SA-1B, or a bare list of its records as ``ssa.formats.sa1b.dumps`` writes it.

    Names that are in it already are left aside: masks are named anew. Raises ``InputError`` where it is
    neither, with the record and field that are wrong.
    """
    advice = "leave it out, or have masks found with --masks sam"
    payload = _json_of(data, advice)
    document = _object({"annotations": payload} if is_list(payload) else payload, advice)
    found = from_records(document)
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

    ``key`` is the picture's unique name: a new picture's ``image_id`` is a number made of it. Given masks
    keep their fields, and their ``image`` too, to which what it lacks is added; annotations beyond theirs are
    new ones. In a tree they keep their
    ``id`` only if each has a whole number of its own; else ``id`` is the position, and ``parent_id`` speaks
    of that. Without a tree any ``id`` stays, and a record that has none gets the first number that is free.
    """
    document: dict[str, Any] = {"image": {}, **(given.document if given is not None else {})}
    document["image"] = _image(_image_in(document), annotated, key, file_name)
    records = sa1b.to_records(annotated, detail)
    if given is not None:
        records = _with_originals(given.document["annotations"], records)
    document["annotations"] = numbered(records)
    return json.dumps(document, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"


def loads(data: bytes) -> tuple[Mapping[str, Any], tuple[Annotation, ...]]:
    """What is said of the picture in a file that ``dumps`` made, and its annotations.

    Raises ``InputError`` where the file is damaged.
    """
    return loads_with_ids(data)[:2]


def loads_with_ids(
    data: bytes,
) -> tuple[Mapping[str, Any], tuple[Annotation, ...], Sequence[int]]:
    """As ``loads``, and what the file calls each region: its ``id``, or its position where some have none."""
    advice = "delete it and run the same command again, which makes it anew"
    document = _object(_json_of(data, advice), advice)
    found = from_records(document)
    annotations = (one if isinstance(one, Annotation) else Annotation(one, None) for one in found)
    return _image_in(document), tuple(annotations), ids_in_tree(document["annotations"])


def _json_of(data: bytes, advice: str) -> object:
    try:
        payload: object = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"expected a JSON file of SA-1B; got one that is cut short or damaged; {advice}"
        ) from error
    return payload


def _object(payload: object, advice: str) -> Mapping[str, Any]:
    """The payload if it is a file of SA-1B."""
    if not isinstance(payload, Mapping) or not is_list(payload.get("annotations")):
        raise InputError(
            "expected a JSON object with 'annotations', as SA-1B has them; got something else; "
            f"{advice}"
        )
    return payload


def _image_in(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a file says of its picture."""
    image = document.get("image")
    return image if isinstance(image, Mapping) else {}


def _image(
    given: Mapping[str, Any], annotated: AnnotatedImage, key: str, file_name: str
) -> sa1b.Record:
    """All that is given of a picture, and what every file of ours says."""
    # A size of another kind than a number (null, "30") says nothing that a reader could use.
    new = picture_row(key, file_name, annotated.height, annotated.width)
    missing = {name: value for name, value in new.items() if given.get(name) is None}
    return {**given, **missing, "width": annotated.width, "height": annotated.height}


def picture_row(key: str, file_name: str, height: int, width: int) -> sa1b.Record:
    """What every file of ours says of its picture; sizes in pixels."""
    size = {"width": width, "height": height}
    return {"image_id": _number_of(key), **size, "file_name": file_name}


def _with_originals(
    originals: Sequence[Mapping[str, Any]], records: Sequence[sa1b.Record]
) -> list[sa1b.Record]:
    """The records of given masks with all that these had; what a run added comes after them, without ids."""
    ids = ids_in_tree(originals)
    own, added = records[: len(originals)], records[len(originals) :]
    extended = [_extended(*pair, ids) for pair in zip(originals, own, strict=True)]
    return [
        *extended,
        *({name: value for name, value in one.items() if name != "id"} for one in added),
    ]


def _extended(original: Mapping[str, Any], record: sa1b.Record, ids: Sequence[int]) -> sa1b.Record:
    """A given record with what was found out; ``ids`` are those of all records in a tree."""
    extended = {name: value for name, value in original.items() if name not in _ADDED}
    extended |= {name: record[name] for name in _ADDED if name in record}
    if "level" in record:
        parent = record["parent_id"]
        extended["id"] = ids[record["id"]]
        extended["parent_id"] = None if parent is None else ids[parent]
    return extended


def _number_of(key: str) -> int:
    """48 bits of a hash: a number that JSON readers of any language hold exactly."""
    return int.from_bytes(hashlib.sha256(key.encode("utf-8")).digest()[:6])
