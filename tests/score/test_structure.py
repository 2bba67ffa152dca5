from __future__ import annotations

import pytest
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from ssa.score.structure import cluster_sums, part_sums
from tests.score.drawn import PLACES, pair, region

TRUE = [
    region(PLACES[0], "car", has_place=True),
    region(PLACES[1], "wheel", parent=0, has_place=True),
    region(PLACES[2], "door", parent=0, has_place=True),
    region(PLACES[3], "wing", parent=0, has_place=True),
]


def test_parts_by_hand() -> None:
    # The car is found as 2. The wheel is found as 0, named by a synonym's plural and attached to the car; the
    # door is found as 1, named wrong, and attached to the wheel; the wing isn't found.
    found = [
        region(PLACES[1], "wheels", parent=2, has_place=True),
        region(PLACES[2], "window", parent=0, has_place=True),
        region(PLACES[0], "auto", has_place=True),
    ]
    assert part_sums(pair(found, TRUE), {0: 2, 1: 0, 2: 1}) == {
        "parts.found": (2, 3),
        "parts.named": (1, 3),
        "parts.attached": (1, 3),
        "parts.attached_of_found": (1, 2),
    }


def test_a_part_of_a_whole_that_was_not_found_is_attached_to_nothing() -> None:
    found = [region(PLACES[1], "wheel", parent=None, has_place=True)]
    assert part_sums(pair(found, TRUE), {1: 0})["parts.attached"] == (0, 3)


def test_without_a_tree_nothing_is_said_of_wholes() -> None:
    found = [region(PLACES[1], "wheel")]
    assert [*part_sums(pair(found, TRUE), {1: 0})] == ["parts.found", "parts.named"]
    assert part_sums(pair(found, [region(PLACES[0])]), {0: 0}) == {}


def test_groups_are_what_scikit_learn_says() -> None:
    groups = [(0, 5), (0, 5), (1, 5), (1, 6), (2, -1), (2, -1)]
    true = [region(PLACES[0], cluster=one) for one, _ in groups]
    found = [region(PLACES[0], cluster=other) for _, other in groups]
    sums = cluster_sums(pair(found, true), {i: i for i in range(6)})
    # Those in no group are each by itself.
    kinds, own = [0, 0, 1, 1, 2, 2], [5, 5, 5, 6, 7, 8]
    assert sums["clusters.ari"] == (pytest.approx(adjusted_rand_score(kinds, own)), 1)
    assert sums["clusters.nmi"] == (pytest.approx(normalized_mutual_info_score(kinds, own)), 1)


def test_equal_groups_are_one_and_few_are_none() -> None:
    true = [region(PLACES[0], cluster=one) for one in (3, 3, 4)]
    found = [region(PLACES[0], cluster=one) for one in (0, 0, 1)]
    assert cluster_sums(pair(found, true), {0: 0, 1: 1, 2: 2})["clusters.ari"] == (1, 1)
    assert cluster_sums(pair(found, true), {0: 0}) == {}
    assert cluster_sums(pair([region(PLACES[0])] * 3, true), {0: 0, 1: 1, 2: 2}) == {}
