"""The index stays true to the file of decisions, whoever writes to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from review_scenes import desk_of, regions, write_results

from ssa.dataset.reading import results_in
from ssa.masks.run_lengths import decode, encode
from ssa.review.decisions import Accepted, Corrected, Piece, Rejected, Renamed, Split
from ssa.review.log import FILE, DecisionLog
from ssa.review.web.desk import Desk, Gone


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return write_results(tmp_path / "out", [regions(), regions("cloud")])


def labels(desk: Desk, picture: int) -> list[str]:
    return [desk.index.labels[i] for i in desk.index.rows[picture].values["label"]]


def test_after_every_decision_the_index_is_as_if_read_anew(out: Path) -> None:
    with desk_of(out) as desk:
        mask = decode(desk.now(0)[1].regions[3].mask)
        halves = [mask.copy(), mask.copy()]
        halves[0][:120], halves[1][120:] = False, False
        pieces = tuple(Piece(encode(half), "tree") for half in halves)
        for decision in (
            Corrected(desk.index.ref(0, 0), "heaven"),
            Renamed("heaven", "above"),
            Renamed("door", "gate"),
            Rejected(desk.index.ref(1, 1)),
            Split(desk.index.ref(0, 3), pieces),
            Corrected(desk.index.ref(1, 2), "door"),
        ):
            desk.decide([decision])
            with desk_of(out) as other:
                assert [labels(other, i) for i in (0, 1)] == [labels(desk, i) for i in (0, 1)]
                assert other.index.rows[0].ids == desk.index.rows[0].ids
        for _ in range(6):
            desk.undo()
            with desk_of(out) as other:
                assert [labels(other, i) for i in (0, 1)] == [labels(desk, i) for i in (0, 1)]
        assert desk.undo() is None
        assert labels(desk, 0) == ["sky", "house", "door", "tree"]


def test_two_desks_see_each_other(out: Path) -> None:
    with desk_of(out) as one, desk_of(out) as other:
        one.decide([Rejected(one.index.ref(0, 0))])
        other.decide([Accepted(other.index.ref(0, 1), "house")])
        one.refresh()
        for desk in (one, other):
            assert desk.index.rows[0].values["reviewed"].tolist() == [3, 1, 0, 0]


def test_what_another_has_split_can_not_be_decided_any_more(out: Path) -> None:
    with desk_of(out) as one, desk_of(out) as other:
        ref = other.index.ref(0, 0)
        one.decide([Split(one.index.ref(0, 0), ())])
        with pytest.raises(Gone):
            other.decide([Accepted(ref, "sky")])


def test_a_file_that_can_not_be_read_is_counted_and_the_others_come(out: Path) -> None:
    (out / "annotations" / "photos" / "0.jpg.json").write_text("{")
    with DecisionLog(out / FILE) as log:
        desk = Desk(results_in(out), log)
    assert desk.unreadable == 1
    assert labels(desk, 1)[0] == "cloud"
