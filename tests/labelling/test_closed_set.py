"""Masks painted over a label map: what wins where, and what stays."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import proposal
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ssa.labelling.closed_set import vote_and_paint
from ssa.labelling.voting import majority
from ssa.masks.run_lengths import box_of
from ssa.pictures.crops import scaled_box
from ssa.types import BoolMask, LabelMap, Vote

LABELS = ("sky", "grass", "road", "dog", "cat")
SEEDS = st.integers(0, 2**63)


def label_map(ids: object) -> LabelMap:
    return LabelMap("ade20k", np.array(ids, dtype=np.int16), LABELS)


def mask(rows: list[list[int]]) -> BoolMask:
    return np.array(rows, dtype=np.bool_)


def drawn(seed: int) -> tuple[LabelMap, list[BoolMask]]:
    """A label map of noise and up to six masks: rectangles and noise, some of them empty."""
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 14, 2)
    masks = []
    for _ in range(rng.integers(0, 7)):
        top, left = rng.integers(0, height), rng.integers(0, width)
        one = np.zeros((height, width), np.bool_)
        one[top : rng.integers(top, height) + 1, left : rng.integers(left, width) + 1] = True
        masks.append(one & (rng.random((height, width)) < rng.choice([0, 0.4, 1, 1])))
    return label_map(rng.integers(0, len(LABELS), (height, width))), masks


def plainly_painted(found: LabelMap, masks: list[BoolMask]) -> NDArray[np.int16]:
    """Pixel by pixel: the majority class of the smallest mask on it, of equal ones the last."""
    painted = found.class_ids.copy()
    for row, column in np.ndindex(painted.shape):
        on_it = [(one.sum(), -i) for i, one in enumerate(masks) if one[row, column]]
        if on_it:
            owner = masks[-min(on_it)[1]]
            painted[row, column] = np.bincount(found.class_ids[owner]).argmax()
    return painted


@given(SEEDS)
@settings(max_examples=60)
def test_each_pixel_has_the_class_of_the_smallest_mask_on_it(seed: int) -> None:
    found, masks = drawn(seed)
    painted, votes = vote_and_paint(found, [proposal(one) for one in masks])
    np.testing.assert_array_equal(painted.class_ids, plainly_painted(found, masks))
    assert painted.class_ids.dtype == found.class_ids.dtype
    assert (painted.source, painted.labels) == (found.source, found.labels)
    assert len(votes) == len(masks)


@given(SEEDS)
@settings(max_examples=30)
def test_a_mask_that_overlaps_no_other_is_of_one_class_and_what_no_mask_covers_stays(
    seed: int,
) -> None:
    found, masks = drawn(seed)
    painted, votes = vote_and_paint(found, [proposal(one) for one in masks])
    covered = np.sum(masks, axis=0, dtype=int) if masks else np.zeros_like(found.class_ids)
    for one, vote in zip(masks, votes, strict=True):
        if one.any() and covered[one].max() == 1:
            (class_id,) = np.unique(painted.class_ids[one])
            assert LABELS[class_id] == vote.label
    outside = covered == 0
    np.testing.assert_array_equal(painted.class_ids[outside], found.class_ids[outside])


@given(SEEDS, st.integers(0, len(LABELS) - 1))
@settings(max_examples=20)
def test_a_constant_map_stays_as_it_is(seed: int, class_id: int) -> None:
    found, masks = drawn(seed)
    constant = label_map(np.full_like(found.class_ids, class_id))
    painted, votes = vote_and_paint(constant, [proposal(one) for one in masks])
    np.testing.assert_array_equal(painted.class_ids, constant.class_ids)
    assert set(votes) <= {Vote("ade20k", LABELS[class_id], 1.0)}


@given(SEEDS)
@settings(max_examples=20)
def test_votes_are_those_on_the_map_as_it_came(seed: int) -> None:
    found, masks = drawn(seed)
    proposals = [proposal(one) for one in masks]
    before = found.class_ids.copy()
    _, votes = vote_and_paint(found, proposals)
    for one, vote in zip(masks, votes, strict=True):
        box_xyxy = scaled_box(box_of(one), 1.0, *one.shape)
        left, top, right, bottom = box_xyxy
        assert vote == majority(found, one[top:bottom, left:right], box_xyxy)
    np.testing.assert_array_equal(found.class_ids, before)


def test_no_mask_leaves_the_map() -> None:
    found = label_map([[0, 1], [2, 3]])
    painted, votes = vote_and_paint(found, [])
    np.testing.assert_array_equal(painted.class_ids, found.class_ids)
    assert votes == ()


def test_small_masks_lie_on_large_ones_whatever_their_order() -> None:
    found = label_map([[0, 0, 0, 3], [0, 0, 3, 4]])
    large = proposal(mask([[1, 1, 1, 1], [1, 1, 1, 1]]))
    small = proposal(mask([[0, 0, 0, 1], [0, 0, 1, 1]]))
    for order in ([large, small], [small, large]):
        painted, votes = vote_and_paint(found, order)
        assert painted.class_ids.tolist() == [[0, 0, 0, 3], [0, 0, 3, 3]]
        assert votes[order.index(small)] == Vote("ade20k", "dog", 2 / 3)


def test_of_equal_areas_the_later_lies_on_top() -> None:
    found = label_map([[0, 1, 1, 1]])
    first, second = proposal(mask([[1, 1, 0, 0]])), proposal(mask([[0, 1, 1, 0]]))
    assert vote_and_paint(found, [first, second])[0].class_ids.tolist() == [[0, 1, 1, 1]]
    assert vote_and_paint(found, [second, first])[0].class_ids.tolist() == [[0, 0, 1, 1]]


def test_names_that_stand_for_two_ids_keep_them_apart() -> None:
    found = LabelMap("coco", np.array([[0, 2, 2]], np.int16), ("wall", "dog", "wall"))
    painted, votes = vote_and_paint(found, [proposal(mask([[1, 1, 1]]))])
    assert painted.class_ids.tolist() == [[2, 2, 2]]
    assert votes == (Vote("coco", "wall", 2 / 3),)


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the label map's size \(1, 2\); got \(2, 2\)"):
        vote_and_paint(label_map([[0, 1]]), [proposal(mask([[1, 1], [1, 1]]))])
