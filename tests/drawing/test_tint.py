"""Tints: light ones, one outline between neighbours, a white one where two that look alike meet."""

from __future__ import annotations

import numpy as np
import pytest

from ssa.drawing.regions import Region
from ssa.drawing.tint import tint

RED, NEARLY_RED, GREEN = (200, 40, 40), (206, 46, 36), (40, 200, 40)


def region(entry: str, colour: tuple[int, int, int]) -> Region:
    return Region("", entry, colour, (0, 0, 1, 1))


def halves() -> np.ndarray:
    """(40, 60): the left half belongs to region 0, the right one to region 1."""
    owner = np.zeros((40, 60), dtype=np.int32)
    owner[:, 30:] = 1
    return owner


def line_between(*regions: Region) -> np.ndarray:
    """The colour where the two halves of a black picture meet, on the upper one's side."""
    return tint(np.zeros((40, 60, 3), np.uint8), list(regions), halves())[20, 30]


def test_grass_stays_green_whatever_its_labels_colour() -> None:
    grass = np.full((40, 60, 3), (70, 150, 60), np.uint8)
    for colour in ((160, 60, 200), RED, (60, 90, 220)):
        red, green, blue = tint(grass, [region("grass", colour)], np.zeros((40, 60), np.int32))[
            20, 30
        ]
        assert green > red
        assert green > blue


@pytest.mark.parametrize(
    ("one", "other", "is_white"),
    [
        (region("dog", RED), region("cat", NEARLY_RED), True),
        (region("dog", RED), region("cat", RED), True),
        (region("dog", RED), region("dog", RED), False),
        (region("dog", RED), region("cat", GREEN), False),
    ],
)
def test_neighbours_that_look_alike_are_set_apart(
    one: Region, other: Region, is_white: bool
) -> None:
    line = line_between(one, other).tolist()
    assert (max(line) - min(line) < 10) == is_white


def test_those_that_do_not_meet_are_not_set_apart() -> None:
    owner = halves()
    owner[:, 28:32] = -1
    drawn = tint(np.zeros((40, 60, 3), np.uint8), [region("a", RED), region("b", RED)], owner)
    edge = drawn[20, 32].tolist()
    assert edge[0] > edge[1]
    assert (drawn[:, 28:32] == 0).all()
