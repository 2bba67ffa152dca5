from __future__ import annotations

import numpy as np
import pytest

from ssa.score.comparing import compare
from ssa.score.tally import Tally, tally_of
from tests.score.drawn import PLACES, pair, region, truth


def run_of(*names: tuple[str, str]) -> Tally:
    """Pictures a, b, ... of two regions each, a dog and a couch, called so."""
    return tally_of(
        pair([region(PLACES[0], one), region(PLACES[1], other)], truth()[:2], "abcdefgh"[place])
        for place, (one, other) in enumerate(names)
    )


RIGHT, WRONG = ("dog", "couch"), ("banana", "couch")


def test_a_run_against_itself_has_no_change() -> None:
    run = run_of(RIGHT, WRONG, ("animal", "sofa"))
    found = compare(run, run)
    assert (found.pictures, found.better, found.worse, found.same) == (3, 0, 0, 6)
    assert {(c.difference, c.low, c.high) for c in found.changes.values()} == {(0.0, 0.0, 0.0)}


def test_what_changed_by_hand() -> None:
    first = run_of(WRONG, WRONG, RIGHT, ("dog", "sofa"))
    other = run_of(RIGHT, WRONG, ("dog", "banana"), ("animal", "couch"))
    found = compare(first, other)
    # Nearer: banana → dog, sofa → couch. Further: couch → banana, dog → animal.
    assert (found.better, found.worse, found.same) == (2, 2, 4)
    # Right or a synonym: 6 of 8 before; after 1, 1 of ... dog couch, couch, dog, couch: 5 of 8.
    change = found.changes["names.all.level_2"]
    assert change.difference == pytest.approx(5 / 8 - 6 / 8)
    assert change.low < change.difference < change.high
    assert change.low <= 0 <= change.high


def test_the_interval_is_that_of_pictures_drawn_again() -> None:
    first, other = run_of(WRONG, RIGHT), run_of(RIGHT, RIGHT)
    # Of two pictures drawn the first comes 0, 1 or 2 times: the change is 0, 1/4 or 1/2 of all regions.
    change = compare(first, other).changes["names.all.level_2"]
    assert (change.difference, change.low, change.high) == (0.25, 0.0, 0.5)
    again = compare(first, other).changes["names.all.level_2"]
    assert change == again


def test_one_picture_can_not_vary() -> None:
    change = compare(run_of(WRONG), run_of(RIGHT)).changes["names.all.level_1"]
    assert (change.difference, change.low, change.high) == (0.5, 0.5, 0.5)


def test_pictures_that_one_alone_has_do_not_count_and_order_is_nothing() -> None:
    first = run_of(WRONG, RIGHT, RIGHT)
    other = tally_of(
        [
            pair([region(PLACES[0], "dog")], truth()[:2], "z"),
            pair([region(PLACES[0], "dog"), region(PLACES[1], "couch")], truth()[:2], "b"),
            pair([region(PLACES[0], "dog"), region(PLACES[1], "couch")], truth()[:2], "a"),
        ]
    )
    found = compare(first, other)
    assert (found.pictures, found.better, found.same) == (2, 1, 3)
    assert found.changes["names.all.level_1"].difference == pytest.approx(1 / 4)


def test_without_a_common_picture_there_is_nothing_to_say() -> None:
    found = compare(run_of(RIGHT), tally_of([pair(truth(), truth(), "z")]), rounds=3)
    assert (found.pictures, found.changes, found.better) == (0, {}, 0)


def test_what_one_run_alone_has_figures_of_is_not_compared() -> None:
    found = compare(run_of(RIGHT), run_of(RIGHT))
    assert "parts.found" not in found.changes
    assert np.isfinite([change.low for change in found.changes.values()]).all()
