"""Decisions come back from JSON as they were, and what is no decision is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from review.made_up import PICTURE, REFS, decisions, square

from ssa.json_fields import FieldError
from ssa.review.decisions import (
    Accepted,
    Added,
    Corrected,
    Decision,
    Joined,
    Piece,
    Renamed,
    Split,
    fingerprint,
    from_row,
    picture_of,
    pieces_of,
    to_row,
)
from ssa.types import RLE


@given(decisions())
def test_any_decision_comes_back_from_json(decision: Decision) -> None:
    assert from_row(json.loads(json.dumps(to_row(decision)))) == decision


def test_a_mask_is_known_by_its_size_and_its_pixels() -> None:
    mask = square(3)
    assert fingerprint(mask) == fingerprint(square(3)) == "3b06a51fc394dcfb"
    others = [fingerprint(square(4)), fingerprint(RLE(mask.width, mask.height, mask.counts))]
    assert fingerprint(mask) not in others


def test_a_decision_knows_its_picture_and_what_it_makes() -> None:
    piece = Piece(square(1), "cat")
    assert picture_of(Accepted(REFS[0], "cat")) == PICTURE
    assert picture_of(Added("b", piece)) == "b"
    assert picture_of(Joined(REFS[:2], piece)) == PICTURE
    assert picture_of(Renamed("a", "b")) is None
    assert pieces_of(Split(REFS[0], (piece, piece))) == (piece, piece)
    assert pieces_of(Corrected(REFS[0])) == ()


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ([], "do"),
        ({}, "what"),
        ({"what": "approved"}, "what"),
        ({"what": "accepted", "region": ["a", 1]}, "region"),
        ({"what": "accepted", "region": ["a", 1.5, "x"]}, "region"),
        ({"what": "accepted", "region": ["a", 1, "x"], "label": 3}, "label"),
        ({"what": "corrected", "region": ["a", 1, "x"], "mask": "x"}, "mask"),
        ({"what": "added", "picture": "a", "piece": {"mask": {"size": [2, 2], "counts": "9"}}}, "mask"),
        ({"what": "joined", "regions": []}, "regions"),
        ({"what": "joined", "regions": [["a", 1, "x"], ["b", 1, "x"]]}, "regions"),
    ],
)  # fmt: skip
def test_what_is_no_decision_is_refused_by_the_field(row: Any, field: str) -> None:
    with pytest.raises(FieldError, match=f"^{field}$"):
        from_row(row)
