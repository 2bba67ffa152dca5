"""What reviews say of found names: kept ones are right, others wrong; who accepts unseen has seen nothing."""

from __future__ import annotations

import pytest
from example_pictures import example

from ssa.formats.example import Example
from ssa.masks.run_lengths import decode
from ssa.review.amending import Amended
from ssa.review.decisions import (
    BY_ACCEPT,
    BY_PAGE,
    Accepted,
    Corrected,
    Decision,
    Joined,
    Piece,
    Rejected,
    Renamed,
    Split,
    Unsure,
)
from ssa.review.history import Entry, History
from ssa.review.verdicts import verdicts
from tests.review.made_up import FOUND, PICTURE, REFS, history_of, square

PICTURE_FOUND = example(PICTURE, [decode(one.mask) for one in FOUND], [one.label for one in FOUND])


def said(*entries: Decision | tuple[Decision, ...] | int) -> list[object]:
    return list(verdicts(PICTURE_FOUND, Amended(history_of(*entries))))


def test_nobody_has_looked_yet() -> None:
    assert said() == [None] * 4


@pytest.mark.parametrize(
    ("decision", "verdict"),
    [
        (Accepted(REFS[0], "cat"), "right"),
        (Corrected(REFS[0], "fox"), "wrong"),
        (Corrected(REFS[0], "cat"), "right"),
        (Corrected(REFS[0], None, square(9)), "right"),
        (Corrected(REFS[0], "fox", square(9)), "wrong"),
        (Rejected(REFS[0]), "wrong"),
        (Unsure(REFS[0], "dark"), "unsure"),
        (Split(REFS[0], (Piece(square(9), "cat"), Piece(square(10), "cat"))), "wrong"),
    ],
)
def test_a_name_is_right_if_it_stayed(decision: Decision, verdict: str) -> None:
    assert said(decision) == [verdict, None, None, None]
    assert said(decision, 1) == [None] * 4


def test_regions_that_were_joined_were_none() -> None:
    joined = Joined((REFS[0], REFS[2]), Piece(square(9), "cat"))
    assert said(joined) == ["wrong", None, "wrong", None]


def test_a_rename_makes_nobody_wrong() -> None:
    assert said(Accepted(REFS[0], "cat"), Renamed("cat", "felis"))[0] == "right"
    assert said(Renamed("cat", "felis"), Accepted(REFS[0], "felis"))[0] == "right"
    assert said(Renamed("cat", "felis"), Corrected(REFS[0], "cat"))[0] == "wrong"


def test_who_accepts_unseen_has_not_looked() -> None:
    history = History()
    history.take(Entry(1, "", BY_ACCEPT, (Accepted(REFS[0], "cat"), Accepted(REFS[1], "dog"))))
    history.take(Entry(2, "", "me", (Accepted(REFS[1], "dog"),)))
    assert verdicts(PICTURE_FOUND, Amended(history)) == [None, "right", None, None]


def test_many_at_once_on_the_page_are_no_look_at_each() -> None:
    both = (Accepted(REFS[0], "cat"), Rejected(REFS[1]))
    for by, expected in ((BY_PAGE, [None, None]), ("import a.json", ["right", "wrong"])):
        history = History()
        history.take(Entry(1, "", by, both))
        assert verdicts(PICTURE_FOUND, Amended(history))[:2] == expected
        history.take(Entry(2, "", BY_PAGE, (Accepted(REFS[1], "dog"),)))
        assert verdicts(PICTURE_FOUND, Amended(history))[1] == "right"


def test_other_pictures_are_others() -> None:
    other = Example("photos/cat.jpg", "cat.jpg", 4, 6, PICTURE_FOUND.annotations)
    assert verdicts(other, Amended(history_of(Accepted(REFS[0], "cat")))) == [None] * 4


def test_accept_changes_nothing_that_a_person_said_meanwhile() -> None:
    history = History()
    history.take(Entry(1, "", BY_PAGE, (Rejected(REFS[0]),)))
    history.take(Entry(2, "", BY_ACCEPT, (Accepted(REFS[0], "cat"), Accepted(REFS[1], "dog"))))
    amended = Amended(history)
    assert [one.reviewed for one in amended.now(PICTURE_FOUND).regions[:2]] == [
        "rejected",
        "accepted",
    ]
    assert verdicts(PICTURE_FOUND, amended)[:2] == ["wrong", None]
