"""Ranking and choosing over all regions: batches, what is never asked, and memory that is too small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ssa.config import BatchSettings, Settings
from ssa.labelling.choosing import Choosing, Work
from ssa.pictures.regions import Regions
from ssa.progress import StageLog, StageReport
from ssa.types import ScoredLabel
from tests.fakes import FakeChooser, FakeDenseRanker, FakeRanker, proposal, squares

SETTINGS = replace(Settings(), batches=BatchSettings(ranker=2, chooser=2))


def work(told: list[StageReport] | None = None) -> Work:
    """Six squares of a picture of 20 × 30."""
    picture = np.arange(20 * 30 * 3, dtype=np.uint8).reshape(20, 30, 3)
    regions = Regions(picture, [proposal(mask) for mask in squares(20, 30, 10)])
    report = (lambda _: None) if told is None else told.append
    return Work(regions, SETTINGS, StageLog(report))


def texts(*counts: int) -> list[tuple[str, ...]]:
    return [tuple("x" * (length + 1) for length in range(count)) for count in counts]


def test_scores_come_in_the_order_of_the_regions_asked() -> None:
    ranker = FakeRanker()
    candidates = texts(1, 2, 3, 1, 2)
    found = list(Choosing(ranker, FakeChooser()).rank([5, 0, 3, 1, 2], candidates, work()))
    assert [len(scores) for scores in found] == [1, 2, 3, 1, 2]
    assert [scores[0].label for scores in found] == [own[-1] for own in candidates]
    assert [len(batch) for batch in ranker.batches] == [2, 2, 1]


def test_only_where_there_are_several_is_the_chooser_asked() -> None:
    chooser = FakeChooser()
    proposals = texts(1, 2, 0, 3)
    shares = Choosing(FakeRanker(), chooser).choose([0, 1, 2, 3], proposals, work())
    assert chooser.asked == [proposals[1], proposals[3]]
    assert shares[0] == (ScoredLabel("x", 1.0),)
    assert shares[2] == ()
    assert [one.label for one in shares[3]] == ["xxx", "x"]


def test_crops_and_masks_of_a_region_go_together() -> None:
    chooser = FakeChooser()
    Choosing(FakeRanker(), chooser).choose([4], texts(2), work())
    (crop,), (mask,) = chooser.crops, chooser.masks
    assert crop.shape[:2] == mask.shape
    assert mask.sum() == 100


def test_a_model_without_room_is_asked_again_with_fewer() -> None:
    ranker, chooser = FakeRanker(room=1), FakeChooser(room=1)
    choosing, indices = Choosing(ranker, chooser), list(range(6))
    ranked = list(choosing.rank(indices, texts(*[2] * 6), work()))
    chosen = choosing.choose(indices, texts(*[2] * 6), work())
    roomy = Choosing(FakeRanker(), FakeChooser())
    assert ranked == list(roomy.rank(indices, texts(*[2] * 6), work()))
    assert chosen == roomy.choose(indices, texts(*[2] * 6), work())
    assert {len(batch) for batch in ranker.batches} == {1}


def test_progress_goes_on_from_call_to_call_up_to_all_regions() -> None:
    told: list[StageReport] = []
    at_hand, choosing = work(told), Choosing(FakeRanker(), FakeChooser())
    for indices in ([0, 1, 2], [3, 4, 5]):
        rank_all(choosing, indices, at_hand)
        choosing.choose(indices, texts(2, 1, 2), at_hand)
    assert [one.done for one in told if one.stage == "ranker"][-1] == 6
    last = [one for one in told if one.stage == "chooser"][-1]
    assert (last.done, last.total) == (4, 4)


def rank_all(choosing: Choosing, indices: Sequence[int], at_hand: Work) -> None:
    assert len(list(choosing.rank(indices, texts(*[2] * len(indices)), at_hand))) == len(indices)


def test_a_dense_ranker_is_asked_as_both_with_one_look_and_in_one_batch() -> None:
    dense, at_hand = FakeDenseRanker(), work()
    choosing, indices = Choosing(dense, dense), list(range(6))
    ranked = list(choosing.rank(indices, texts(*[2] * 6), at_hand))
    chosen = choosing.choose(indices, texts(2, 1, 2, 3, 0, 2), at_hand)
    plain = Choosing(FakeRanker(), FakeChooser())
    assert ranked == list(plain.rank(indices, texts(*[2] * 6), work()))
    assert chosen == plain.choose(indices, texts(2, 1, 2, 3, 0, 2), work())
    assert len(dense.looks) == 1
    assert [len(masks) for masks in dense.masks] == [6, 4]


def test_a_dense_ranker_without_room_is_asked_again_with_fewer() -> None:
    dense, at_hand = FakeDenseRanker(room=2), work()
    assert len(list(Choosing(dense, None).rank(range(6), texts(*[2] * 6), at_hand))) == 6
    assert len(dense.looks) == 1
    assert max(map(len, dense.masks)) <= 2


def test_either_may_be_dense_and_the_other_get_crops() -> None:
    dense, ranker, chooser = FakeDenseRanker(), FakeRanker(), FakeChooser()
    at_hand = work()
    assert len(list(Choosing(dense, chooser).rank([0], texts(2), at_hand))) == 1
    Choosing(dense, chooser).choose([0], texts(2), at_hand)
    Choosing(ranker, dense).choose([0], texts(2), at_hand)
    assert (len(chooser.crops), len(ranker.batches), len(dense.looks)) == (1, 0, 1)
