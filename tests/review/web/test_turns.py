"""Turns in the sample: drawn once, of what was found with a confidence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from example_pictures import example

from ssa.formats.example import Example
from ssa.review.decisions import fingerprint
from ssa.review.draw import is_sampled, rank_of
from ssa.review.web.turns import NEVER, Turns


def picture(number: int, confidence: float | None = 0.5) -> Example:
    found = example(f"p/{number}.png", [np.eye(4, 6, k=k, dtype=np.bool_) for k in range(4)])
    annotations = tuple(replace(one, confidence=confidence) for one in found.annotations)
    return replace(found, annotations=annotations)


def turns_of(turns: Turns, number: int) -> list[int]:
    found = turns.of(number)
    assert found is not None
    return found.tolist()


def test_each_region_of_the_sample_has_a_turn_of_its_own() -> None:
    turns = Turns(3)
    for number in (0, 2):
        turns.take(number, picture(number))
    assert turns.of(0) is None
    turns.draw()
    found = [turns_of(turns, number) for number in range(3)]
    assert [len(one) for one in found] == [4, 0, 4]
    given = sorted(turn for own in found for turn in own if turn != NEVER)
    assert given == list(range(len(given)))
    for number in (0, 2):
        for turn, one in zip(turns_of(turns, number), picture(number).annotations, strict=True):
            rank = rank_of(f"p/{number}.png", fingerprint(one.proposal.rle))
            assert (turn != NEVER) == is_sampled(rank)


def test_who_has_no_confidence_has_no_turn_and_later_pictures_change_nothing() -> None:
    turns = Turns(1)
    turns.take(0, picture(0, None))
    turns.draw()
    before = turns.of(0)
    assert before is not None
    assert (before == NEVER).all()
    turns.take(0, picture(0))
    assert turns.of(0) is before


def test_no_pictures_are_no_turns() -> None:
    turns = Turns(0)
    turns.draw()
