"""The order of the queue, and which regions go together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from review_scenes import desk_of, regions, write_results

from ssa.review.decisions import Accepted
from ssa.review.web.queue import alike, of_cluster, of_label, queue


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return write_results(tmp_path / "out", [regions(), regions("cloud")])


def test_the_least_sure_come_first_and_what_is_decided_does_not_come(out: Path) -> None:
    with desk_of(out) as desk:
        assert queue(desk.index, "confidence", 3) == (8, [(0, 0), (1, 0), (0, 1)])
        desk.decide([Accepted(desk.index.ref(0, 0), "sky")])
        assert queue(desk.index, "confidence", 3) == (7, [(1, 0), (0, 1), (1, 1)])


@pytest.mark.parametrize(
    ("order", "first"),
    [
        ("margin", [(0, 0), (1, 0)]),
        ("picture", [(0, 0), (0, 1)]),
        ("class", [(1, 0), (0, 2), (1, 2)]),  # cloud, door, door
        ("cluster", [(0, 0), (0, 2), (1, 0)]),
        ("disagreement", [(0, 2), (1, 2), (0, 0)]),
    ],
)
def test_orders(out: Path, order: str, first: list[tuple[int, int]]) -> None:
    with desk_of(out) as desk:
        assert queue(desk.index, order, len(first))[1] == first


def test_by_picture_it_begins_with_the_one_that_is_shown(out: Path) -> None:
    with desk_of(out) as desk:
        assert [picture for picture, _ in queue(desk.index, "picture", 8, 1)[1]] == [1] * 4 + [
            0
        ] * 4


def test_what_goes_together(out: Path) -> None:
    with desk_of(out) as desk:
        assert of_label(desk.index, "door") == [(0, 2), (1, 2)]
        assert of_label(desk.index, "nobody's") == []
        assert of_cluster(desk.index, 1) == [(0, 1), (0, 3), (1, 1), (1, 3)]
        assert of_cluster(desk.index, -1) == []
        assert alike(desk.index, 1, 3, 0.9) == [(0, 3), (1, 3)]
        assert len(alike(desk.index, 1, 3, -1)) == 8


def test_of_alike_ones_the_nearest_come_first(out: Path) -> None:
    with desk_of(out) as desk:
        found = alike(desk.index, 0, 2, -1)
    assert set(found[:2]) == {(0, 2), (1, 2)}
    assert np.shape(found) == (8, 2)
