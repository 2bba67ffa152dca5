"""SA-1B JSON ↔ types; the only place that knows the wire names.

On the wire a picture is a list of records, one a mask, in the mask model's order. A record has SA-1B's
fields, the two that semantics add (``class_name``, ``class_proposals``) and, if asked for, ``detail``.
Boxes are [left, top, width, height] and points [x, y], in pixels of the full picture.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from ssa import masks
from ssa.errors import InputError
from ssa.types import (
    RLE,
    AnnotatedImage,
    Annotation,
    BoxXYWH,
    Evidence,
    MaskProposal,
    ScoredLabel,
    Vote,
)

Record = dict[str, Any]


def to_records(annotated: AnnotatedImage, detail: bool = False) -> list[Record]:
    """One record a mask with the nine published keys, and a tenth, ``detail``, if asked for.

    Only plain values: ready for ``json``. Raises ``ValueError`` for a number that is not finite.
    """
    return [_record(annotation, detail) for annotation in annotated.annotations]


def dumps(annotated: AnnotatedImage, detail: bool = False) -> bytes:
    """The records as JSON, ASCII with escapes; equal pictures give equal bytes."""
    records = to_records(annotated, detail)
    return json.dumps(records, allow_nan=False, separators=(",", ":")).encode("ascii")


def from_records(payload: object) -> tuple[MaskProposal | Annotation, ...]:
    """Read a list of records, or a file of SA-1B itself (an object with ``annotations``).

    A record with ``class_name`` becomes an ``Annotation`` (with empty evidence where it has no
    ``detail``), one without a ``MaskProposal``. Raises ``InputError`` that names the record and field.
    """
    records = payload.get("annotations") if isinstance(payload, Mapping) else payload
    if not _is_list(records):
        raise InputError(
            "expected a list of mask records or an SA-1B object with 'annotations'; "
            f"got {type(records).__name__}; give the file's whole JSON"
        )
    return tuple(_parsed(record, index) for index, record in enumerate(records))


def _record(annotation: Annotation, detail: bool) -> Record:
    proposal = annotation.proposal
    record: Record = {
        "segmentation": {
            "size": [int(proposal.rle.height), int(proposal.rle.width)],
            "counts": proposal.rle.counts,
        },
        "bbox": [_pixels(value) for value in proposal.bbox_xywh],
        "area": int(proposal.area_px),
        "predicted_iou": _number(proposal.predicted_iou),
        "stability_score": _number(proposal.stability_score),
        "crop_box": [_pixels(value) for value in proposal.crop_box_xywh],
        "point_coords": [[_number(x), _number(y)] for x, y in proposal.points_xy],
        "class_name": annotation.class_name,
        "class_proposals": list(annotation.class_proposals),
    }
    return {**record, "detail": _detail(annotation.evidence)} if detail else record


def _detail(evidence: Evidence) -> Record:
    return {
        "votes": [
            {"source": vote.source, "label": vote.label, "share": _number(vote.share)}
            for vote in evidence.votes
        ],
        "caption": evidence.caption,
        "noun_phrases": list(evidence.noun_phrases),
        "clip": [{"label": one.label, "score": _number(one.score)} for one in evidence.ranking],
        "clipseg": [{"label": one.label, "share": _number(one.score)} for one in evidence.shares],
        "margin": _number(evidence.margin) if evidence.shares else None,
    }


def _number(value: float) -> float:
    """A finite Python float; -0.0 becomes 0.0, since equal values are to give equal bytes."""
    number = float(value) + 0.0
    if not math.isfinite(number):
        raise ValueError(f"expected a finite number; got {number}")
    return number


def _pixels(value: float) -> int | float:
    """Whole pixels as integers, as segment_anything writes its boxes; fractions as they are."""
    number = _number(value)
    return int(number) if number.is_integer() else number


class _Field(Exception):
    """A field is missing or wrong; its text is the field's name."""


def _parsed(record: object, index: int) -> MaskProposal | Annotation:
    try:
        proposal = _proposal(record)
        if "class_name" not in _object(record, "record"):
            return proposal
        return _annotation(proposal, _object(record, "record"))
    except _Field as error:
        raise InputError(
            f"expected mask record {index} to hold a sound '{error}'; got none or another kind of "
            "value; compare it with a record of SA-1B"
        ) from error


def _proposal(record: object) -> MaskProposal:
    fields = _object(record, "record")
    return MaskProposal(
        rle=_rle(_object(fields.get("segmentation"), "segmentation")),
        bbox_xywh=_box(fields, "bbox"),
        area_px=_integer(fields.get("area"), "area"),
        predicted_iou=_float(fields.get("predicted_iou"), "predicted_iou"),
        stability_score=_float(fields.get("stability_score"), "stability_score"),
        crop_box_xywh=_box(fields, "crop_box"),
        points_xy=tuple(
            _point(point) for point in _list(fields.get("point_coords"), "point_coords")
        ),
    )


def _annotation(proposal: MaskProposal, fields: Mapping[str, Any]) -> Annotation:
    return Annotation(
        proposal=proposal,
        class_name=_text(fields.get("class_name"), "class_name"),
        class_proposals=_texts(fields.get("class_proposals"), "class_proposals"),
        evidence=_evidence(_object(fields.get("detail", {}), "detail")),
    )


def _evidence(fields: Mapping[str, Any]) -> Evidence:
    return Evidence(
        votes=tuple(
            Vote(_text(vote.get("source"), "detail"), *_scored(vote, "share"))
            for vote in _objects(fields.get("votes", []), "detail")
        ),
        caption=_text(fields.get("caption", ""), "detail"),
        noun_phrases=_texts(fields.get("noun_phrases", []), "detail"),
        ranking=tuple(
            ScoredLabel(*_scored(one, "score"))
            for one in _objects(fields.get("clip", []), "detail")
        ),
        shares=tuple(
            ScoredLabel(*_scored(one, "share"))
            for one in _objects(fields.get("clipseg", []), "detail")
        ),
    )


def _scored(fields: Mapping[str, Any], score_name: str) -> tuple[str, float]:
    return _text(fields.get("label"), "detail"), _float(fields.get(score_name), "detail")


def _rle(fields: Mapping[str, Any]) -> RLE:
    size = [_integer(side, "segmentation") for side in _list(fields.get("size"), "segmentation")]
    if len(size) != 2 or min(size) < 1:
        raise _Field("segmentation")
    rle = RLE(size[0], size[1], _text(fields.get("counts"), "segmentation"))
    _check_runs(rle)
    return rle


def _check_runs(rle: RLE) -> None:
    try:
        runs = masks.runs_of(rle)
    except ValueError as error:
        raise _Field("segmentation") from error
    if runs.min() < 0 or runs.sum() != rle.height * rle.width:
        raise _Field("segmentation")


def _box(fields: Mapping[str, Any], name: str) -> BoxXYWH:
    values = [_float(value, name) for value in _list(fields.get(name), name)]
    if len(values) != 4:
        raise _Field(name)
    return values[0], values[1], values[2], values[3]


def _point(value: object) -> tuple[float, float]:
    point = [_float(one, "point_coords") for one in _list(value, "point_coords")]
    if len(point) != 2:
        raise _Field("point_coords")
    return point[0], point[1]


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _list(value: object, name: str) -> Sequence[Any]:
    if not _is_list(value):
        raise _Field(name)
    return value


def _object(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _Field(name)
    return value


def _objects(value: object, name: str) -> list[Mapping[str, Any]]:
    return [_object(one, name) for one in _list(value, name)]


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise _Field(name)
    return value


def _texts(value: object, name: str) -> tuple[str, ...]:
    return tuple(_text(one, name) for one in _list(value, name))


def _float(value: object, name: str) -> float:
    # JSON's true is Python's True, which is an int: no number for us.
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _Field(name)
    return float(value)


def _integer(value: object, name: str) -> int:
    number = _float(value, name)
    if not number.is_integer():
        raise _Field(name)
    return int(number)
