"""Drawn masks: as many as asked for, inside the picture, of the stated sizes, the same for a seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.drawn_masks import LEAST_SHARE, MOST_SHARE, draw_masks
from ssa.masks.run_lengths import area, box_of, decode


@given(
    count=st.integers(0, 12),
    height=st.integers(1, 300),
    width=st.integers(1, 300),
    seed=st.integers(0, 10_000),
)
def test_each_is_a_mask_of_the_picture_that_tells_the_truth_of_itself(
    count: int, height: int, width: int, seed: int
) -> None:
    masks = draw_masks(count, height, width, seed)
    assert len(masks) == count
    assert masks == draw_masks(count, height, width, seed)
    for proposal in masks:
        mask = decode(proposal.rle)
        assert mask.shape == (height, width)
        assert proposal.area_px == mask.sum() > 0
        assert proposal.bbox_xywh == box_of(mask)


def test_areas_span_the_stated_range_evenly_on_a_log_scale() -> None:
    shares = np.array([area(p.rle) for p in draw_masks(300, 600, 800)]) / (600 * 800)
    # Rounding to whole pixels moves the least and the most a little.
    assert 0.8 * LEAST_SHARE < shares.min() < 2 * LEAST_SHARE
    assert 0.7 * MOST_SHARE < shares.max() < 1.05 * MOST_SHARE
    thirds = np.geomspace(LEAST_SHARE, MOST_SHARE, 4)[1:3]
    counts = np.histogram(shares, [0, *thirds, 1])[0]
    assert counts.min() > 70


def test_boxes_and_ellipses_take_turns() -> None:
    filled = [
        p.area_px / ((p.bbox_xywh[2] + 1) * (p.bbox_xywh[3] + 1)) for p in draw_masks(20, 600, 800)
    ]
    assert filled[::2] == [1.0] * 10
    assert all(0.7 < share < 0.9 for share in filled[1::2])


def test_another_seed_draws_others() -> None:
    assert draw_masks(3, 200, 200, 0) != draw_masks(3, 200, 200, 1)


def test_a_larger_picture_has_the_same_shapes_larger() -> None:
    small, large = draw_masks(10, 300, 400), draw_masks(10, 600, 800)
    for one, other in zip(small, large, strict=True):
        assert np.multiply(one.bbox_xywh, 2) == pytest.approx(other.bbox_xywh, abs=3)
