"""SA-1B JSON → types: each record checked field by field; ``ssa.formats.sa1b`` says what they look like."""

from __future__ import annotations

from base64 import b64decode
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ssa.errors import InputError
from ssa.json_fields import (
    FieldError,
    float_of,
    integer_of,
    is_list,
    list_of,
    object_of,
    objects_of,
    text_of,
    texts_of,
)
from ssa.masks import run_lengths as masks
from ssa.types import (
    RLE,
    Annotation,
    BoxXYWH,
    Evidence,
    MaskProposal,
    ScoredLabel,
    TreeNode,
    Vote,
)

Places = Mapping[int, int]
"""Positions of records by their ``id``."""


def from_records(payload: object) -> tuple[MaskProposal | Annotation, ...]:
    """Read a list of records, or a file of SA-1B itself (an object with ``annotations``).

    A record with ``class_name``, ``level`` or ``detail`` becomes an ``Annotation`` (with empty evidence
    where it has no ``detail``), any other a ``MaskProposal``. Raises ``InputError`` that names the record
    and field.
    """
    records = payload.get("annotations") if isinstance(payload, Mapping) else payload
    if not is_list(records):
        raise InputError(
            "expected a list of mask records or an SA-1B object with 'annotations'; "
            f"got {type(records).__name__}; give the file's whole JSON"
        )
    places = _places(records)
    return tuple(_parsed(record, index, places) for index, record in enumerate(records))


def _places(records: Sequence[Any]) -> Places:
    """Where the record with an ``id`` stands, where it is its own; masks of SA-1B keep the ids they have."""
    ids = [record.get("id") if isinstance(record, Mapping) else None for record in records]
    counts = Counter(one for one in ids if type(one) is int)
    return {one: place for place, one in enumerate(ids) if type(one) is int and counts[one] == 1}


def _parsed(record: object, index: int, places: Places) -> MaskProposal | Annotation:
    try:
        fields = object_of(record, "record")
        proposal = _proposal(fields)
        # SA-1B's own records have an ``id`` too, so that alone says nothing.
        if not {"class_name", "level", "detail"} & set(fields):
            return proposal
        return _annotation(proposal, fields, index, places)
    except FieldError as error:
        raise InputError(
            f"expected mask record {index} to hold a sound '{error}'; got none or another kind of "
            "value; compare it with a record of SA-1B"
        ) from error


def _proposal(fields: Mapping[str, Any]) -> MaskProposal:
    rle = rle_of(fields.get("segmentation"), "segmentation")
    return MaskProposal(
        rle=rle,
        bbox_xywh=_box(fields, "bbox", rle),
        area_px=_area(fields),
        predicted_iou=float_of(fields.get("predicted_iou"), "predicted_iou"),
        stability_score=float_of(fields.get("stability_score"), "stability_score"),
        crop_box_xywh=_box(fields, "crop_box", rle),
        points_xy=tuple(
            _point(point) for point in list_of(fields.get("point_coords"), "point_coords")
        ),
        granularity=_optional_integer(_detail_of(fields).get("granularity"), "detail"),
    )


def _annotation(
    proposal: MaskProposal, fields: Mapping[str, Any], index: int, places: Places
) -> Annotation:
    named = "class_name" in fields
    proposals = fields.get("class_proposals") if named else []
    return Annotation(
        proposal=proposal,
        class_name=text_of(fields["class_name"], "class_name") if named else None,
        class_proposals=texts_of(proposals, "class_proposals"),
        evidence=_evidence(_detail_of(fields)),
        node=_node(fields, index, places) if "level" in fields else None,
        part_of=text_of(fields["part_of"], "part_of") if "part_of" in fields else None,
        confidence=_confidence(fields),
        # Others may say something else by this name.
        source="phrase" if fields.get("source") == "phrase" else None,
    )


def _confidence(fields: Mapping[str, Any]) -> float | None:
    if fields.get("confidence") is None:
        return None
    confidence = float_of(fields["confidence"], "confidence")
    if not 0 <= confidence <= 1:
        raise FieldError("confidence")
    return confidence


def _node(fields: Mapping[str, Any], index: int, places: Places) -> TreeNode:
    """The place of record ``index`` in the tree; a list that was cut has lost its tree."""
    if places.get(integer_of(fields.get("id"), "id")) != index:
        raise FieldError("id")
    level = integer_of(fields["level"], "level")
    parent_id = _optional_integer(fields.get("parent_id"), "parent_id")
    parent = None if parent_id is None else places.get(parent_id, index)
    if parent == index or level < 0 or (parent is None) != (level == 0):
        raise FieldError("parent_id")
    return TreeNode(parent, level)


def _detail_of(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    return object_of(fields.get("detail", {}), "detail")


def _optional_integer(value: object, name: str) -> int | None:
    return None if value is None else integer_of(value, name)


def _evidence(fields: Mapping[str, Any]) -> Evidence:
    return Evidence(
        votes=tuple(
            Vote(text_of(vote.get("source"), "detail"), *_scored(vote, "share"))
            for vote in objects_of(fields.get("votes", []), "detail")
        ),
        caption=text_of(fields.get("caption", ""), "detail"),
        noun_phrases=texts_of(fields.get("noun_phrases", []), "detail"),
        bank=tuple(
            ScoredLabel(*_scored(one, "score"))
            for one in objects_of(fields.get("bank", []), "detail")
        ),
        ranking=tuple(
            ScoredLabel(*_scored(one, "score"))
            for one in objects_of(fields.get("clip", []), "detail")
        ),
        shares=tuple(
            ScoredLabel(*_scored(one, "share"))
            for one in objects_of(fields.get("clipseg", []), "detail")
        ),
        cluster_id=_optional_integer(fields.get("cluster"), "detail"),
        embedding=_embedding(fields["embedding"]) if "embedding" in fields else None,
        models=tuple(
            (what, text_of(model, "detail"))
            for what, model in object_of(fields.get("models", {}), "detail").items()
        ),
        agreement=tuple(
            ScoredLabel(*_scored(one, "score"))
            for one in objects_of(fields.get("phrases", []), "detail")
        ),
        moved_to=text_of(fields["moved_to"], "detail") if "moved_to" in fields else None,
    )


def _embedding(value: object) -> tuple[float, ...]:
    try:
        numbers = np.frombuffer(b64decode(text_of(value, "detail"), validate=True), "<f2")
    except ValueError as error:
        raise FieldError("detail") from error
    if not np.isfinite(numbers).all():
        raise FieldError("detail")
    return tuple(numbers.tolist())


def _scored(fields: Mapping[str, Any], score_name: str) -> tuple[str, float]:
    return text_of(fields.get("label"), "detail"), float_of(fields.get(score_name), "detail")


def rle_of(value: object, name: str) -> RLE:
    """``value`` if it is a mask: an object with ``size`` (height, width) and compressed ``counts``.

    Raises ``FieldError`` with ``name`` for another, and for runs that don't fill the picture.
    """
    fields = object_of(value, name)
    size = [integer_of(side, name) for side in list_of(fields.get("size"), name)]
    if len(size) != 2 or min(size) < 1:
        raise FieldError(name)
    rle = RLE(size[0], size[1], text_of(fields.get("counts"), name))
    try:
        masks.filling_runs(rle)
    except ValueError as error:
        raise FieldError(name) from error
    return rle


def _box(fields: Mapping[str, Any], name: str, rle: RLE) -> BoxXYWH:
    """A box that begins in the picture; segment_anything gives one of a single column no width."""
    values = [float_of(value, name) for value in list_of(fields.get(name), name)]
    if len(values) != 4:
        raise FieldError(name)
    left, top, width, height = values
    if not (0 <= left < rle.width and 0 <= top < rle.height and width >= 0 and height >= 0):
        raise FieldError(name)
    return left, top, width, height


def _area(fields: Mapping[str, Any]) -> int:
    area = integer_of(fields.get("area"), "area")
    if area < 0:
        raise FieldError("area")
    return area


def _point(value: object) -> tuple[float, float]:
    point = [float_of(one, "point_coords") for one in list_of(value, "point_coords")]
    if len(point) != 2:
        raise FieldError("point_coords")
    return point[0], point[1]
