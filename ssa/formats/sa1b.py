"""Types → SA-1B JSON; ``ssa.formats.sa1b_reading`` goes back. These two alone know the wire names.

On the wire a picture is a list of records, one a mask, in the mask model's order. A record has SA-1B's
fields, the two that semantics add (``class_name``, ``class_proposals``) unless no label was asked for,
``confidence`` where there is one, ``source`` where a region was missed and found by a phrase and, where
asked for, a mask's place among wholes and parts (``id``, ``parent_id``, ``level``, ``part_of``) and
``detail``. Boxes are [left, top, width, height] and points [x, y], in pixels of the full picture.
"""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Sequence
from typing import Any

import numpy as np

from ssa.types import AnnotatedImage, Annotation, MaskProposal

Record = dict[str, Any]


def to_records(annotated: AnnotatedImage, detail: bool = False) -> list[Record]:
    """One record a mask with the nine published keys and, if asked for, ``detail``.

    A mask in a tree has ``id`` (its position), ``parent_id`` and ``level`` too, and ``part_of`` where its
    name is a part's. Without labels the two keys of semantics are missing. Only plain values: ready for
    ``json``. Raises ``ValueError`` for a number that is not finite.
    """
    return [
        _record(annotation, number, detail)
        for number, annotation in enumerate(annotated.annotations)
    ]


def dumps(annotated: AnnotatedImage, detail: bool = False) -> bytes:
    """The records as JSON, ASCII with escapes; equal pictures give equal bytes."""
    records = to_records(annotated, detail)
    return json.dumps(records, allow_nan=False, separators=(",", ":")).encode("ascii")


def _record(annotation: Annotation, number: int, detail: bool) -> Record:
    record = _mask_fields(annotation.proposal)
    if annotation.class_name is not None:
        record["class_name"] = annotation.class_name
        record["class_proposals"] = list(annotation.class_proposals)
    if annotation.node is not None:
        record["id"] = number
        record["parent_id"] = annotation.node.parent
        record["level"] = annotation.node.level
    if annotation.part_of is not None:
        record["part_of"] = annotation.part_of
    if annotation.confidence is not None:
        record["confidence"] = _number(annotation.confidence)
    if annotation.source is not None:
        record["source"] = annotation.source
    if detail:
        record["detail"] = _detail(annotation)
    return record


def _mask_fields(proposal: MaskProposal) -> Record:
    """The seven fields of SA-1B that say what a mask is."""
    return {
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
    }


def _detail(annotation: Annotation) -> Record:
    """What the stages said; where no name was chosen, those that said nothing are left out."""
    evidence, granularity = annotation.evidence, annotation.proposal.granularity
    found: Record = {
        "votes": [
            {"source": vote.source, "label": vote.label, "share": _number(vote.share)}
            for vote in evidence.votes
        ],
        "caption": evidence.caption,
        "noun_phrases": list(evidence.noun_phrases),
        "clip": [{"label": one.label, "score": _number(one.score)} for one in evidence.ranking],
        "clipseg": [{"label": one.label, "share": _number(one.score)} for one in evidence.shares],
        "margin": None if evidence.margin is None else _number(evidence.margin),
    }
    if not evidence.shares:
        found = {name: value for name, value in found.items() if value}
    if evidence.bank:
        found["bank"] = [{"label": one.label, "score": _number(one.score)} for one in evidence.bank]
    if evidence.agreement:
        found["phrases"] = [
            {"label": one.label, "score": _number(one.score)} for one in evidence.agreement
        ]
    if evidence.moved_to is not None:
        found["moved_to"] = evidence.moved_to
    if evidence.cluster_id is not None:
        found["cluster"] = int(evidence.cluster_id)
    if granularity is not None:
        found["granularity"] = int(granularity)
    if evidence.models:
        found["models"] = dict(evidence.models)
    if evidence.embedding is not None:
        found["embedding"] = _packed(evidence.embedding)
    return found


def _packed(embedding: Sequence[float]) -> str:
    """Little-endian float16 in base64: 256 numbers as 684 characters, a third of what digits take."""
    return b64encode(np.asarray(embedding, "<f2").tobytes()).decode("ascii")


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
