"""What is in force, and what was undone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from review.made_up import FOUND, PICTURE, REFS, decisions, history_of, square

from ssa.review.decisions import Accepted, Added, Decision, Piece, Rejected, Renamed, Split
from ssa.review.replay import regions_now

PIECE = Piece(square(5), "cat")


def test_steps_are_those_of_the_picture_in_order_with_what_they_make() -> None:
    at_once = (Added("b", PIECE), Renamed("a", "b"), Split(REFS[0], (PIECE,)), Rejected(REFS[1]))
    steps = list(history_of(Accepted(REFS[1], "dog"), at_once).steps(PICTURE))
    assert [(one.number, one.first_made) for one in steps] == [(1, 0), (2, 1), (2, 2)]
    assert [one.decision for one in steps] == [Accepted(REFS[1], "dog"), at_once[2], at_once[3]]


def test_the_last_in_force_is_what_is_undone_next() -> None:
    history = history_of(Accepted(REFS[0], "cat"), Rejected(REFS[1]), 2)
    assert [one.number for one in history.entries] == [1]
    last = history.last()
    assert last is not None
    assert last.number == 1
    assert history.last("somebody else") is None
    assert history_of(Rejected(REFS[1]), 1).last() is None


@given(st.lists(decisions(), min_size=1, max_size=8), st.data())
def test_what_is_undone_is_as_if_it_had_never_been(
    all_of_it: list[Decision], data: st.DataObject
) -> None:
    undone = data.draw(st.sets(st.integers(1, len(all_of_it))))
    history = history_of(*all_of_it, *sorted(undone), *sorted(undone))
    without = history_of(*(() if i in undone else one for i, one in enumerate(all_of_it, start=1)))
    found = regions_now(FOUND, history.steps(PICTURE), history.renames)
    assert found == regions_now(FOUND, without.steps(PICTURE), without.renames)
