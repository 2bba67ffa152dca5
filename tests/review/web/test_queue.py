"""The order of the queue, and which regions go together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from review_scenes import desk_of, regions, write_results

from ssa.cli import app
from ssa.masks.run_lengths import encode
from ssa.review.decisions import Accepted, Piece, Split
from ssa.review.web.queue import SAMPLE, alike, of_cluster, of_label, queue
from ssa.types import RLE
from tests.score.runs import results, review


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
        ("cluster", [(0, 0), (0, 2), (0, 1)]),  # each picture has clusters of its own
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
        # A cluster is its picture's: number 1 of another one is something else.
        assert of_cluster(desk.index, 1, 1) == [(1, 1), (1, 3)]
        assert of_cluster(desk.index, 0, -1) == []
        assert alike(desk.index, 1, 3, 0.9) == [(0, 3), (1, 3)]
        assert len(alike(desk.index, 1, 3, -1)) == 8


def test_of_alike_ones_the_nearest_come_first(out: Path) -> None:
    with desk_of(out) as desk:
        found = alike(desk.index, 0, 2, -1)
    assert set(found[:2]) == {(0, 2), (1, 2)}
    assert np.shape(found) == (8, 2)


def test_the_sample_is_that_of_accept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The regions that the command names, in its order, whatever was split or decided meanwhile."""
    out = tmp_path / "out"
    truth = results(out, 8)
    review(out, truth, list(truth)[::3])
    assert app.main(["calibrate", str(out)]) == 0
    capsys.readouterr()
    for _ in range(2):
        assert app.main(["accept", str(out), "--error", "5%", "--sample", "40"]) == 0
        lines = [line.rsplit("\t", 1) for line in capsys.readouterr().out.splitlines()]
        named = [(key, int(number)) for key, number in lines]
        with desk_of(out) as desk:
            _, places = queue(desk.index, SAMPLE, 40)
            shown = [(desk.index.keys[n], desk.index.rows[n].ids[place]) for n, place in places]
            assert shown == named
            ref = desk.index.ref(*places[0])
            mask = square_of(12, 16)
            desk.decide([Split(ref, (Piece(mask, "a"), Piece(mask, "b")))])
            assert queue(desk.index, SAMPLE, 40)[1][0] != places[0]


def test_without_confidences_there_is_no_sample(out: Path) -> None:
    bare = tuple(replace(one, confidence=None) for one in regions())
    with desk_of(write_results(out.parent / "bare", [bare])) as desk:
        assert queue(desk.index, SAMPLE, 40) == (0, [])
        assert queue(desk.index, "margin", 40)[0] == 4


def square_of(height: int, width: int) -> RLE:
    mask = np.zeros((height, width), np.bool_)
    mask[2:5, 2:5] = True
    return encode(mask)


def test_in_the_sample_stays_what_was_decided_with_others(out: Path) -> None:
    with desk_of(out) as desk:
        total, places = queue(desk.index, SAMPLE, 40)
        desk.decide([Accepted(desk.index.ref(*place), "x") for place in places])
        assert queue(desk.index, SAMPLE, 40) == (total, places)
        desk.decide([Accepted(desk.index.ref(*places[0]), "x")])
        assert queue(desk.index, SAMPLE, 40) == (total - 1, places[1:])
