"""Regions and decisions for the tests of this room."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

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
    fingerprint,
)
from ssa.review.history import Entry, History
from ssa.review.replay import Found, PictureNow, RegionNow, regions_now
from ssa.types import RLE

PICTURE = "photos/dog.jpg"


def square(place: int) -> RLE:
    """One of 24 different masks of 4 × 6 pixels."""
    mask = np.zeros(24, np.bool_)
    mask[place] = True
    return encode(mask.reshape(4, 6))


FOUND = tuple(Found(i, square(i), label) for i, label in enumerate(["cat", "dog", "cat", None]))
REFS = tuple(RegionRef(PICTURE, one.id, fingerprint(one.mask)) for one in FOUND)


def history_of(*entries: Decision | tuple[Decision, ...] | int) -> History:
    """Of entries: a decision, several at once, or the number of the entry that is undone."""
    history = History()
    for number, one in enumerate(entries, start=1):
        if isinstance(one, int):
            history.take(Entry(number, "", "me", undoes=one))
        else:
            history.take(Entry(number, "", "me", one if isinstance(one, tuple) else (one,)))
    return history


def now(
    *entries: Decision | tuple[Decision, ...] | int, found: tuple[Found, ...] = FOUND
) -> PictureNow:
    """The picture after these entries."""
    history = history_of(*entries)
    return regions_now(found, history.steps(PICTURE), history.renames)


def region(now: PictureNow, number: int | str) -> RegionNow:
    """The region of this id."""
    return next(one for one in now.regions if one.id == number)


LABELS = st.sampled_from(["cat", "dog", "tree", "\u202efel\u0000is <b>", "\ud800"])
MASKS = st.integers(0, 23).map(square)
PIECES = st.builds(Piece, MASKS, st.none() | LABELS)
ANY_REF = st.sampled_from([*REFS, RegionRef(PICTURE, 9, "gone"), RegionRef("b", "4.0", "x")])


def decisions() -> st.SearchStrategy[Decision]:
    """Any decision, about regions that are there and some that aren't."""
    return st.one_of(
        st.builds(Accepted, ANY_REF, st.none() | LABELS),
        st.builds(Corrected, ANY_REF, st.none() | LABELS, st.none() | MASKS),
        st.builds(Rejected, ANY_REF, LABELS),
        st.builds(Unsure, ANY_REF, st.just("")),
        st.builds(Added, st.just(PICTURE), PIECES),
        st.builds(Split, ANY_REF, st.tuples(PIECES, PIECES)),
        st.builds(Joined, st.tuples(st.sampled_from(REFS), st.sampled_from(REFS)), PIECES),
        st.builds(Renamed, LABELS, LABELS),
    )
