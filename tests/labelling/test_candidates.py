"""Candidate labels: order, duplicates, spelling."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ssa.labelling.candidates import merge_candidates
from ssa.types import Vote


def votes(*labels: str) -> list[Vote]:
    return [Vote("source", label, 1.0) for label in labels]


def test_votes_come_first_and_order_is_kept() -> None:
    merged = merge_candidates(votes("road", "building"), ("red car", "car", "an alley"))
    assert merged == ("road", "building", "red car", "car", "an alley")


def test_the_first_occurrence_stays_whatever_its_spelling() -> None:
    merged = merge_candidates(
        votes("Car", "sky"), (" car ", "", "  ", "red\n  car", "SKY", "red car")
    )
    assert merged == ("car", "sky", "red car")


def test_one_candidate_is_still_a_tuple_of_one() -> None:
    assert merge_candidates(votes("sky", "sky"), ("sky",)) == ("sky",)


@given(st.lists(st.text(max_size=6), max_size=4), st.lists(st.text(max_size=6), max_size=4))
@settings(deadline=None)
def test_laws(first: list[str], second: list[str]) -> None:
    merged = merge_candidates(votes(*first), second)
    assert len(set(merged)) == len(merged)
    assert all(label and label == label.strip() for label in merged)
    assert bool(merged) == any(label.strip() for label in first + second)
    assert merge_candidates(votes(*merged), merged) == merged
