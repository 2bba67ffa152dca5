"""Votes of pixels: who wins, with what share, and what a tie or an empty mask does."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ssa.labelling.voting import majority, shares_of, votes_under
from ssa.masks import run_lengths as masks
from ssa.models.shared.class_counts import class_counts
from ssa.models.shared.class_runs import ClassRuns
from ssa.pictures.crops import crop, scaled_box
from ssa.pictures.regions import Regions
from ssa.types import RLE, LabelMap, ScoredLabel, Vote
from tests.fakes import proposal

Counter = Callable[[Sequence[RLE]], NDArray[np.int64]]
LABELS = ("sky", "grass", "road", "dog")


def whole(ids: LabelMap) -> tuple[int, int, int, int]:
    """The box of a whole label map."""
    height, width = ids.class_ids.shape
    return 0, 0, width, height


def label_map(rows: list[list[int]]) -> LabelMap:
    return LabelMap("coco", np.array(rows, dtype=np.int16), LABELS)


def test_the_most_frequent_class_inside_the_mask_wins() -> None:
    ids = label_map([[3, 3, 3, 0], [1, 1, 2, 0]])
    mask = np.array([[0, 0, 1, 0], [1, 1, 1, 0]], dtype=bool)
    assert majority(ids, mask, whole(ids)) == Vote("coco", "grass", 0.5)


def test_of_equals_the_smallest_class_id_wins() -> None:
    ids = label_map([[3, 3, 1, 1, 2, 2]])
    assert majority(ids, np.ones((1, 6), dtype=bool), whole(ids)) == Vote("coco", "grass", 1 / 3)


def test_an_empty_mask_lets_its_box_vote() -> None:
    ids = label_map([[0, 0, 0, 2], [0, 0, 2, 2]])
    empty = np.zeros((2, 4), dtype=bool)
    assert majority(ids, empty, whole(ids)) == Vote("coco", "sky", 5 / 8)
    assert majority(ids, empty[:, 2:], (2, 0, 4, 2)) == Vote("coco", "road", 3 / 4)


@given(st.integers(0, 2**63))
@settings(deadline=None)
def test_the_box_changes_nothing_but_the_time(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ids = LabelMap("coco", rng.integers(0, 4, (9, 12)).astype(np.int16), LABELS)
    mask = rng.random((9, 12)) < rng.choice([0.01, 0.1, 0.7])
    mask[rng.integers(9), rng.integers(12)] = True
    around = scaled_box(masks.box_of(mask), 1.0, *mask.shape)
    vote = majority(ids, crop(mask, around), around)
    assert vote == majority(ids, mask, whole(ids))
    assert vote.share == max(np.mean(ids.class_ids[mask] == index) for index in range(4))


def on_device(ids: LabelMap) -> Counter:
    return partial(class_counts, torch.from_numpy(ids.class_ids), len(LABELS))


def on_host(ids: LabelMap) -> Counter:
    return partial(ClassRuns.of(ids.class_ids, (9, 12)).counts, len(LABELS))


@pytest.mark.parametrize("counter", [on_device, on_host])
@given(st.integers(0, 10_000), st.booleans())
@settings(deadline=None)
def test_maps_that_count_give_the_votes_of_those_that_do_not(
    counter: Callable[[LabelMap], Counter], seed: int, with_empty: bool
) -> None:
    rng = np.random.default_rng(seed)
    maps = [
        LabelMap(source, rng.integers(0, 4, (9, 12)).astype(np.int16), LABELS)
        for source in ("coco", "ade20k")
    ]
    counting = [replace(one, count=counter(one)) for one in maps]
    drawn = [rng.random((9, 12)) < share for share in (0.1, 0.5, 1.0)]
    found = [proposal(mask) for mask in drawn]
    if with_empty:
        box = tuple(map(float, rng.integers(0, 9, 4)))
        found.append(replace(proposal(np.zeros((9, 12), np.bool_)), bbox_xywh=box))
    regions = Regions(np.zeros((9, 12, 3), np.uint8), found)
    own, theirs = (
        votes_under(some, regions.proposals, regions.boxed_masks()) for some in (counting, maps)
    )
    assert own == theirs
    assert [[vote.source for vote in votes] for votes in own] == [["coco", "ade20k"]] * len(found)


def test_a_coarse_map_counts_beside_one_that_can_not() -> None:
    cells = np.array([[0, 1], [2, 3]], np.int16)
    count = partial(ClassRuns.of(cells, (4, 4)).counts, len(LABELS))
    coarse = LabelMap("ade20k", cells, LABELS, count)
    plain = LabelMap("coco", np.kron(cells, np.ones((2, 2), np.int16)), LABELS)
    left = proposal(np.tile(np.arange(4) < 2, (4, 1)))
    foot = proposal(np.tile(np.arange(4) > 1, (4, 1)).T)
    regions = Regions(np.zeros((4, 4, 3), np.uint8), [left, foot])
    for maps in ([coarse, plain], [plain, coarse]):
        votes = votes_under(maps, regions.proposals, regions.boxed_masks())
        assert [[vote.label for vote in own] for own in votes] == [["sky"] * 2, ["road"] * 2]
        assert [[vote.source for vote in own] for own in votes] == [[m.source for m in maps]] * 2


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="of its box's size"):
        majority(label_map([[0, 1]]), np.ones((2, 1), dtype=bool), (0, 0, 2, 1))


def test_a_class_id_without_a_label_is_refused() -> None:
    with pytest.raises(ValueError, match="class ids below 4 in the coco label map; got 4"):
        majority(label_map([[0, 4]]), np.ones((1, 2), dtype=bool), (0, 0, 2, 1))


def test_shares_are_sorted_best_first() -> None:
    shares = shares_of(np.array([1, 3, 0]), ["a", "b", "c"])
    assert shares == (ScoredLabel("b", 0.75), ScoredLabel("a", 0.25), ScoredLabel("c", 0.0))


def test_many_equal_shares_keep_the_candidates_order() -> None:
    labels = [f"label {index}" for index in range(40)]
    assert [one.label for one in shares_of(np.full(40, 2), labels)] == labels


@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=8).filter(any))
def test_shares_sum_to_one_and_descend(counts: list[int]) -> None:
    labels = [f"label {index}" for index in range(len(counts))]
    shares = shares_of(np.array(counts), labels)
    scores = [one.score for one in shares]
    assert sorted(one.label for one in shares) == labels
    assert sum(scores) == pytest.approx(1)
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(("counts", "labels"), [([2, 1], ["a"]), ([], []), ([0, 0], ["a", "b"])])
def test_counts_that_do_not_fit_are_refused(counts: list[int], labels: list[str]) -> None:
    with pytest.raises(ValueError, match="expected one count a label, not all 0"):
        shares_of(np.array(counts, np.int64), labels)
