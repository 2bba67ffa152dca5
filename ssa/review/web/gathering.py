"""Many regions at once: which ones, a look at them, and one decision about all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ssa.json_fields import FieldError, float_of, integer_of, object_of, text_of
from ssa.review.decisions import Accepted, Corrected, Decision, RegionRef, Rejected, Unsure
from ssa.review.web.index import Index
from ssa.review.web.queue import Places, alike, of_cluster, of_label


def gathered(index: Index, asked: Mapping[str, Any]) -> Places:
    """The regions that are asked for. Raises ``FieldError`` for what can't be asked."""
    by = text_of(asked.get("by"), "by")
    if by == "label":
        return of_label(index, text_of(asked.get("label"), "label"))
    if by not in ("cluster", "looks"):
        raise FieldError("by")
    picture = integer_of(asked.get("picture"), "picture")
    if not 0 <= picture < len(index.keys):
        raise FieldError("picture")
    if by == "cluster":
        return of_cluster(index, picture, integer_of(asked.get("cluster"), "cluster"))
    place = integer_of(asked.get("place"), "place")
    if not 0 <= place < len(index.rows[picture].ids):
        raise FieldError("place")
    return alike(index, picture, place, float_of(asked.get("least"), "least"))


def decided(index: Index, places: Places, payload: object) -> list[Decision]:
    """One decision about each of the regions. Raises ``FieldError`` for what can't be decided of many."""
    fields = object_of(payload, "do")
    what = text_of(fields.get("what"), "what")
    return [_decision(index, picture, place, what, fields) for picture, place in places]


def _decision(
    index: Index, picture: int, place: int, what: str, fields: Mapping[str, Any]
) -> Decision:
    ref: RegionRef = index.ref(picture, place)
    if what == "accepted":
        number = int(index.rows[picture].values["label"][place])
        return Accepted(ref, None if number < 0 else index.labels[number])
    if what == "corrected":
        return Corrected(ref, text_of(fields.get("label"), "label"))
    remark = text_of(fields.get("remark", ""), "remark")
    if what == "rejected":
        return Rejected(ref, remark)
    if what == "unsure":
        return Unsure(ref, remark)
    raise FieldError("what")
