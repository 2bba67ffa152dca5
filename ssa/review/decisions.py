"""Decisions about regions: frozen values, each of which can be one JSON object and come back from it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ssa.formats.sa1b_reading import rle_of
from ssa.json_fields import FieldError, integer_of, list_of, object_of, text_of
from ssa.types import RLE

BY_PAGE, BY_ACCEPT = "page", "accept"
"""Who decides, beside imports: people on the page, and `ssa accept`, by how sure names are."""

RegionId = int | str
"""A found region's ``id`` in its record, or the name of one that a decision made (``made_id``)."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RegionRef:
    """Which region a decision is about.

    ``picture`` is the picture's key. ``mask`` is the ``fingerprint`` of the mask that the region had when it
    was found or made, whatever became of it since: the region is still the same as long as that holds.
    """

    picture: str
    id: RegionId
    mask: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A region that a person made: its mask, in pixels of the picture, and its label, None for none."""

    mask: RLE
    label: str | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The region is right as it is; ``label`` is what was on the screen, None where it had none."""

    region: RegionRef
    label: str | None


@dataclass(frozen=True, slots=True)
class Corrected:
    """The region has another label, another mask, or both; None leaves that as it is."""

    region: RegionRef
    label: str | None = None
    mask: RLE | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The region is no thing; ``remark`` may say why."""

    region: RegionRef
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Unsure:
    """Somebody has looked and can't tell; ``remark`` may say why."""

    region: RegionRef
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Added:
    """A region that nobody had found."""

    picture: str
    piece: Piece


@dataclass(frozen=True, slots=True)
class Split:
    """A region falls into pieces, which stand in its place."""

    region: RegionRef
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """Several regions of one picture are one, which stands in their place."""

    regions: tuple[RegionRef, ...]
    piece: Piece


@dataclass(frozen=True, slots=True)
class Renamed:
    """What is called ``old`` up to now is called ``new``; where others are called so, the two merge."""

    old: str
    new: str


Decision = Accepted | Corrected | Rejected | Unsure | Added | Split | Joined | Renamed


def fingerprint(mask: RLE) -> str:
    """What a mask is known by: 64 bits of a hash of its size and its run lengths, as 16 digits."""
    text = f"{mask.height}x{mask.width}:{mask.counts}"
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]


def made_id(entry: int, place: int) -> str:
    """The id of a region that a decision made: the entry's number, and its place among all made by that."""
    return f"{entry}.{place}"


def picture_of(decision: Decision) -> str | None:
    """The key of the picture that a decision is about; None where it is about a label."""
    if isinstance(decision, Renamed):
        return None
    if isinstance(decision, Added):
        return decision.picture
    if isinstance(decision, Joined):
        return decision.regions[0].picture
    return decision.region.picture


def pieces_of(decision: Decision) -> tuple[Piece, ...]:
    """The regions that a decision makes."""
    if isinstance(decision, Split):
        return decision.pieces
    return (decision.piece,) if isinstance(decision, Added | Joined) else ()


def to_row(decision: Decision) -> Row:
    """Plain values for JSON; ``from_row`` goes back."""
    row: Row = {"what": type(decision).__name__.lower()}
    for name in decision.__dataclass_fields__:
        value = getattr(decision, name)
        if value is not None and value != "":
            row[name] = _plain(value)
    return row


def to_plain_mask(mask: RLE) -> Row:
    """A mask in plain values for JSON, as COCO has it."""
    return {"size": [mask.height, mask.width], "counts": mask.counts}


def from_row(payload: object) -> Decision:
    """Read what ``to_row`` wrote. Raises ``FieldError`` that names the field which is wrong."""
    fields = object_of(payload, "do")
    reader = _READERS.get(text_of(fields.get("what"), "what"))
    if reader is None:
        raise FieldError("what")
    return reader(fields)


def _plain(value: Any) -> Any:
    if isinstance(value, RegionRef):
        return [value.picture, value.id, value.mask]
    if isinstance(value, RLE):
        return to_plain_mask(value)
    if isinstance(value, Piece):
        return {"mask": _plain(value.mask), "label": value.label}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _region(value: object) -> RegionRef:
    parts = list_of(value, "region")
    if len(parts) != 3:
        raise FieldError("region")
    number = parts[1] if isinstance(parts[1], str) else integer_of(parts[1], "region")
    return RegionRef(text_of(parts[0], "region"), number, text_of(parts[2], "region"))


def _joined_regions(value: object) -> tuple[RegionRef, ...]:
    regions = tuple(map(_region, list_of(value, "regions")))
    if not regions or len({one.picture for one in regions}) > 1:
        raise FieldError("regions")
    return regions


def _piece(value: object) -> Piece:
    fields = object_of(value, "piece")
    return Piece(rle_of(fields.get("mask"), "mask"), _label(fields))


def _label(fields: Mapping[str, Any]) -> str | None:
    label = fields.get("label")
    return None if label is None else text_of(label, "label")


def _mask(fields: Mapping[str, Any]) -> RLE | None:
    mask = fields.get("mask")
    return None if mask is None else rle_of(mask, "mask")


def _remark(fields: Mapping[str, Any]) -> str:
    return text_of(fields.get("remark", ""), "remark")


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Decision]] = {
    "accepted": lambda row: Accepted(_region(row.get("region")), _label(row)),
    "corrected": lambda row: Corrected(_region(row.get("region")), _label(row), _mask(row)),
    "rejected": lambda row: Rejected(_region(row.get("region")), _remark(row)),
    "unsure": lambda row: Unsure(_region(row.get("region")), _remark(row)),
    "added": lambda row: Added(text_of(row.get("picture"), "picture"), _piece(row.get("piece"))),
    "split": lambda row: Split(
        _region(row.get("region")), tuple(map(_piece, list_of(row.get("pieces"), "pieces")))
    ),
    "joined": lambda row: Joined(_joined_regions(row.get("regions")), _piece(row.get("piece"))),
    "renamed": lambda row: Renamed(text_of(row.get("old"), "old"), text_of(row.get("new"), "new")),
}
