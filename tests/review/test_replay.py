"""What becomes of regions by decisions, and which decisions speak of nothing that is there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from review.made_up import FOUND, PICTURE, REFS, decisions, now, region, square

from ssa.masks.run_lengths import encode
from ssa.review.decisions import (
    Accepted,
    Added,
    Corrected,
    Decision,
    Joined,
    Piece,
    RegionRef,
    Rejected,
    Renamed,
    Split,
    Unsure,
)
from ssa.review.replay import Found

PIECE, OTHER = Piece(square(10), "tree"), Piece(square(11), None)
OTHER_SIZE = encode(np.ones((2, 2), np.bool_))


def test_nothing_decided_leaves_all_as_it_was_found() -> None:
    picture = now()
    assert [(one.id, one.mask, one.label) for one in picture.regions] == [
        (one.id, one.mask, one.label) for one in FOUND
    ]
    assert {one.reviewed for one in picture.regions} == {"none"}
    assert [one.ref(PICTURE) for one in picture.regions] == list(REFS)


@pytest.mark.parametrize(
    ("entries", "reviewed", "label"),
    [
        ([Accepted(REFS[0], "cat")], "accepted", "cat"),
        ([Corrected(REFS[0], "fox")], "corrected", "fox"),
        ([Corrected(REFS[0], "fox"), Accepted(REFS[0], "fox")], "corrected", "fox"),
        ([Corrected(REFS[0], "fox"), Rejected(REFS[0])], "rejected", "fox"),
        ([Rejected(REFS[0]), Accepted(REFS[0], "cat")], "accepted", "cat"),
        ([Unsure(REFS[0], "dark"), 1], "none", "cat"),
        ([Accepted(REFS[0], "cat"), Renamed("cat", "felis")], "accepted", "felis"),
        ([Renamed("cat", "felis"), Accepted(REFS[0], "felis")], "accepted", "felis"),
        ([Renamed("cat", "felis"), Corrected(REFS[0], "cat")], "corrected", "cat"),
        # Another run called it otherwise than the one that was reviewed.
        ([Accepted(REFS[0], "lynx")], "corrected", "lynx"),
    ],
)
def test_the_last_word_on_a_region_counts(
    entries: list[Decision | int], reviewed: str, label: str
) -> None:
    found = region(now(*entries), 0)
    assert (found.reviewed, found.label) == (reviewed, label)


def test_who_spoke_last_and_why_is_told() -> None:
    found = region(now(Unsure(REFS[0], "too dark")), 0)
    assert (found.remark, found.by) == ("too dark", "me")
    assert region(now(Unsure(REFS[0], "too dark"), Accepted(REFS[0], "cat")), 0).remark == ""


def test_a_corrected_mask_leaves_the_region_what_decisions_call_it() -> None:
    entries = Corrected(REFS[1], mask=square(9)), Corrected(REFS[1], "fox")
    found = region(now(*entries), 1)
    assert (found.mask, found.label, found.has_new_mask) == (square(9), "fox", True)
    assert found.ref(PICTURE) == REFS[1]


def test_pieces_stand_in_place_of_what_was_split_and_can_be_decided_on() -> None:
    split = Split(REFS[0], (PIECE, OTHER))
    picture = now((Added(PICTURE, PIECE), split), Rejected(REFS[1]))
    assert [one.id for one in picture.regions] == [1, 2, 3, "1.0", "1.1", "1.2"]
    piece = region(picture, "1.2")
    assert (piece.mask, piece.label, piece.reviewed, piece.position) == (
        OTHER.mask, None, "corrected", None,
    )  # fmt: skip
    again = now((Added(PICTURE, PIECE), split), Corrected(piece.ref(PICTURE), "bush"))
    assert region(again, "1.2").label == "bush"


def test_joined_regions_are_one() -> None:
    picture = now(Joined(REFS[:2], PIECE))
    assert [(one.id, one.label) for one in picture.regions] == [
        (2, "cat"), (3, None), ("1.0", "tree"),
    ]  # fmt: skip
    assert now(Joined(REFS[:2], PIECE), Accepted(REFS[0], "cat")).stale


def test_after_another_run_a_decision_goes_with_its_mask_and_to_no_other() -> None:
    """The masks of regions 0 and 1 come in another order, and that of region 2 is found no more."""
    moved = (replace(FOUND[1], id=0), replace(FOUND[0], id=1), Found(2, square(20), "cat"))
    picture = now(Rejected(REFS[0]), Unsure(REFS[2]), found=moved)
    assert [one.reviewed for one in picture.regions] == ["none", "rejected", "none"]
    assert [one.decision for one in picture.stale] == [Unsure(REFS[2])]


def test_of_two_regions_with_that_mask_neither_is_meant_but_by_its_id() -> None:
    twins = (Found(0, square(0), "cat"), Found(1, square(0), "cat"))
    assert [one.reviewed for one in now(Rejected(REFS[0]), found=twins).regions] == [
        "rejected",
        "none",
    ]
    elsewhere = replace(REFS[0], id=7)
    assert now(Rejected(elsewhere), found=twins).stale


@pytest.mark.parametrize(
    "decision",
    [
        Accepted(RegionRef(PICTURE, 7, "gone"), "cat"),
        Corrected(REFS[0], "fox", OTHER_SIZE),
        Added(PICTURE, Piece(OTHER_SIZE, "cat")),
        Split(REFS[0], (PIECE, Piece(OTHER_SIZE, "cat"))),
        Joined((REFS[0], RegionRef(PICTURE, 7, "gone")), PIECE),
    ],
)
def test_a_stale_decision_changes_nothing(decision: Decision) -> None:
    picture = now(decision)
    assert picture.regions == now().regions
    assert len(picture.stale) == 1


@given(st.lists(decisions(), max_size=8))
def test_found_regions_come_first_in_their_order_and_ids_are_their_own(
    entries: list[Decision],
) -> None:
    regions = now(*entries).regions
    places = [one.position for one in regions]
    found = [one for one in places if one is not None]
    assert places == [*sorted(found), *[None] * (len(places) - len(found))]
    assert len({one.id for one in regions}) == len(regions)
