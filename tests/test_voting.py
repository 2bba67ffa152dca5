"""Votes of pixels: who wins, with what share, and what a tie or an empty mask does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssa import masks
from ssa.types import LabelMap, ScoredLabel, Vote
from ssa.voting import majority, pixel_shares

LABELS = ("sky", "grass", "road", "dog")


def label_map(rows: list[list[int]]) -> LabelMap:
    return LabelMap("coco", np.array(rows, dtype=np.int16), LABELS)


def test_the_most_frequent_class_inside_the_mask_wins() -> None:
    ids = label_map([[3, 3, 3, 0], [1, 1, 2, 0]])
    mask = np.array([[0, 0, 1, 0], [1, 1, 1, 0]], dtype=bool)
    assert majority(ids, mask) == Vote("coco", "grass", 0.5)


def test_of_equals_the_smallest_class_id_wins() -> None:
    ids = label_map([[3, 3, 1, 1, 2, 2]])
    assert majority(ids, np.ones((1, 6), dtype=bool)) == Vote("coco", "grass", 1 / 3)


def test_an_empty_mask_lets_its_box_vote() -> None:
    ids = label_map([[0, 0, 0, 2], [0, 0, 2, 2]])
    empty = np.zeros((2, 4), dtype=bool)
    assert majority(ids, empty) == Vote("coco", "sky", 5 / 8)
    assert majority(ids, empty, (2, 0, 1, 1)) == Vote("coco", "road", 3 / 4)


@given(st.integers(0, 2**63))
@settings(deadline=None)
def test_the_box_changes_nothing_but_the_time(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ids = LabelMap("coco", rng.integers(0, 4, (9, 12)).astype(np.int16), LABELS)
    mask = rng.random((9, 12)) < rng.choice([0.01, 0.1, 0.7])
    mask[rng.integers(9), rng.integers(12)] = True
    vote = majority(ids, mask, masks.box_of(mask))
    assert vote == majority(ids, mask)
    assert vote.share == max(np.mean(ids.class_ids[mask] == index) for index in range(4))


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="of the label map's size"):
        majority(label_map([[0, 1]]), np.ones((2, 1), dtype=bool))


def test_a_class_id_without_a_label_is_refused() -> None:
    with pytest.raises(ValueError, match="class ids below 4 in the coco label map; got 4"):
        majority(label_map([[0, 4]]), np.ones((1, 2), dtype=bool))


def logits(winners: list[list[int]], count: int) -> np.ndarray:
    """(K, h, w) in which ``winners`` have the highest value."""
    return (np.arange(count)[:, None, None] == np.array(winners)).astype(np.float32)


def test_shares_are_counted_inside_the_mask_only() -> None:
    mask = np.array([[1, 1, 1, 1], [0, 0, 0, 0]], dtype=bool)
    shares = pixel_shares(logits([[1, 1, 1, 0], [2, 2, 2, 2]], 3), mask, ["a", "b", "c"])
    assert shares == (ScoredLabel("b", 0.75), ScoredLabel("a", 0.25), ScoredLabel("c", 0.0))


def test_equal_shares_keep_the_candidates_order() -> None:
    mask = np.ones((1, 4), dtype=bool)
    shares = pixel_shares(logits([[3, 3, 1, 1]], 4), mask, ["d", "c", "b", "a"])
    assert [one.label for one in shares] == ["c", "a", "d", "b"]


def test_many_equal_shares_keep_their_order_too() -> None:
    labels = [f"label {index}" for index in range(40)]
    shares = pixel_shares(
        logits([[index % 40 for index in range(80)]], 40), np.ones((1, 80), bool), labels
    )
    assert [one.label for one in shares] == labels


def test_of_equal_logits_the_first_candidate_wins_the_pixel() -> None:
    shares = pixel_shares(np.zeros((2, 2, 2), np.float32), np.ones((2, 2), bool), ["x", "y"])
    assert shares[0] == ScoredLabel("x", 1.0)


def test_an_empty_mask_lets_the_whole_crop_decide() -> None:
    shares = pixel_shares(logits([[1, 1, 0]], 2), np.zeros((1, 3), bool), ["a", "b"])
    assert shares[0] == ScoredLabel("b", 2 / 3)


@given(st.integers(0, 2**63), st.integers(1, 6))
@settings(deadline=None)
def test_shares_sum_to_one_and_descend(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    labels = [f"label {index}" for index in range(count)]
    values = rng.normal(size=(count, 5, 7)).astype(np.float32)
    shares = pixel_shares(values, rng.random((5, 7)) < 0.4, labels)
    scores = [one.score for one in shares]
    assert sorted(one.label for one in shares) == labels
    assert sum(scores) == pytest.approx(1)
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(("count", "labels"), [(2, ["a"]), (0, [])])
def test_labels_that_do_not_fit_are_refused(count: int, labels: list[str]) -> None:
    with pytest.raises(ValueError, match="expected logits of shape"):
        pixel_shares(np.zeros((count, 2, 2), np.float32), np.ones((2, 2), bool), labels)
