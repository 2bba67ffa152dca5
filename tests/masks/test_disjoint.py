"""Masks that share no pixel: each pixel is the smallest mask's, and none is lost."""

from __future__ import annotations

import numpy as np
from fakes import proposal
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ssa.masks.disjoint import disjoint
from ssa.masks.run_lengths import area, box_of, decode
from ssa.types import BoolMask

SIZES = st.tuples(st.integers(1, 8), st.integers(1, 8))
MASKS = SIZES.flatmap(lambda hw: st.lists(arrays(np.bool_, hw), max_size=6))


@given(MASKS)
def test_each_pixel_is_the_smallest_masks(masks: list[BoolMask]) -> None:
    left = disjoint([proposal(mask) for mask in masks])
    shown = [
        np.zeros_like(mask) if one is None else decode(one.rle)
        for one, mask in zip(left, masks, strict=True)
    ]
    if masks:
        assert (np.sum(shown, axis=0) == np.any(masks, axis=0)).all()
    for mask, seen in zip(masks, shown, strict=True):
        assert not (seen & ~mask).any()
        for other, its in zip(masks, shown, strict=True):
            # Whoever took a pixel is no larger.
            assert not (mask & its).any() or other is mask or other.sum() <= mask.sum()


@given(MASKS)
def test_boxes_and_areas_are_those_of_what_is_left(masks: list[BoolMask]) -> None:
    for one in disjoint([proposal(mask) for mask in masks]):
        if one is not None:
            assert one.area_px == area(one.rle) > 0
            assert one.bbox_xywh == box_of(decode(one.rle))


def test_what_overlaps_nothing_is_the_same_value() -> None:
    left, right = np.zeros((2, 4, 4), np.bool_)
    left[:, :2] = right[:, 3:] = True
    found = [proposal(left), proposal(right)]
    assert [one is own for one, own in zip(disjoint(found), found, strict=True)] == [True, True]


def test_what_is_covered_is_gone() -> None:
    mask = np.eye(3, dtype=np.bool_)
    found = disjoint([proposal(mask), proposal(np.ones((3, 3), np.bool_)), proposal(mask)])
    assert found[0] is None
    assert found[1] is not None
    assert found[1].area_px == 6
    assert found[1].predicted_iou == 0.9
    assert found[2] is not None
    assert disjoint([proposal(np.zeros((3, 3), np.bool_))]) == [None]
    assert disjoint([]) == []
