from __future__ import annotations

import pytest

from ssa.score.relations import similarity
from ssa.score.tally import tally_of
from ssa.score.worst import KEPT, Case, Worst
from tests.score.drawn import PLACES, pair, region, truth


def test_how_bad_a_case_is_by_hand() -> None:
    true = truth()
    found = [
        region(PLACES[0], "dog", confidence=1.0),  # right: no case
        region(PLACES[1], "banana", confidence=0.9),  # wrong, and sure of it
        region(PLACES[2], "truck", margin=0.2),  # wrong, but near
        region((12, 10, 16, 1), "person"),  # a fifth of the person: not found
        region((24, 0, 2, 2), "cat"),  # nothing there
    ]
    cases = tally_of([pair(found, true, is_judged=True)]).worst.cases
    told = [(one.kind, one.true and one.true.label, one.found and one.found.label) for one in cases]
    badness = {(one.kind, one.true and one.true.label): one.badness for one in cases}
    assert badness == {
        ("named wrong", "couch"): pytest.approx(1 - similarity("banana", "couch") + 0.9),
        ("not found", "traffic light"): 1.0,
        ("not found", "person"): pytest.approx(0.8),
        ("named wrong", "car"): pytest.approx(1 - similarity("truck", "car") + 0.2),
        ("nothing there", None): 0.5,
    }
    assert told[0] == ("named wrong", "couch", "banana")
    assert ("not found", "traffic light", None) in told
    assert ("not found", "person", "person") in told
    # The strip that the person wasn't found by is nothing true either.
    told_twice = [*badness.values(), badness["nothing there", None]]
    assert [one.badness for one in cases] == sorted(told_twice, reverse=True)


def test_the_worst_are_kept_and_no_others() -> None:
    worst = Worst(most=3)
    for badness in (0.2, 0.9, 0.0, 0.5, 0.9, 0.1, 0.7):
        worst.offer(Case(badness, "not found", "a", None, region(PLACES[0]), 0.0, None))
    assert [one.badness for one in worst.cases] == [0.9, 0.9, 0.7]
    assert KEPT == 40


def test_of_equally_bad_ones_the_largest_come_first_in_whatever_order() -> None:
    cases = [
        Case(0.5, "not found", key, None, region(place), 0.0, None)
        for key in "ab"
        for place in PLACES
    ]
    one, other = Worst(most=4), Worst(most=4)
    for case in cases:
        one.offer(case)
    for case in reversed(cases):
        other.offer(case)
    assert one.cases == other.cases
    # Of 40, 40, 64, 80 and 60 pixels, in two pictures.
    assert [(case.true, case.picture) for case in one.cases] == [
        (region(place), key) for place in (PLACES[3], PLACES[2]) for key in "ba"
    ]
