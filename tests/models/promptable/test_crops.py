"""Crops and points are segment_anything's own, and what a crop cuts off is told from what ends there."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from segment_anything.utils.amg import build_point_grid, generate_crop_boxes, is_box_near_crop_edge

from ssa.config import MaskSettings
from ssa.models.promptable.crops import Crop, crop_boxes, point_grid
from ssa.types import BoxXYXY


@given(st.integers(1, 2000), st.integers(1, 2000), st.integers(0, 3), st.floats(0, 0.6))
def test_crops_are_segment_anythings(height: int, width: int, layers: int, overlap: float) -> None:
    boxes, layer_of = generate_crop_boxes((height, width), layers, overlap)
    theirs = [
        (layer, tuple(box))
        for layer, box in zip(layer_of, boxes, strict=True)
        if box[0] < box[2] and box[1] < box[3]
    ]
    assert crop_boxes(height, width, layers, overlap) == theirs


@given(st.integers(1, 64))
def test_points_are_segment_anythings(points_per_side: int) -> None:
    np.testing.assert_allclose(point_grid(points_per_side), build_point_grid(points_per_side))


@pytest.mark.parametrize(
    ("layer", "factor", "side"), [(0, 2, 8), (1, 2, 4), (2, 2, 2), (1, 3, 2), (4, 2, 1)]
)
def test_deeper_crops_have_fewer_points_and_at_least_one(
    layer: int, factor: int, side: int
) -> None:
    settings = MaskSettings(points_per_side=8, crop_n_points_downscale_factor=factor)
    assert Crop(layer, (0, 0, 9, 9), (9, 9)).points_per_side(settings) == side


SIDES = st.integers(0, 120)


@given(st.tuples(SIDES, SIDES, SIDES, SIDES), st.tuples(SIDES, SIDES, SIDES, SIDES))
@example((20, 50, 60, 70), (40, 0, 120, 120))  # as near as counts
@example((21, 50, 60, 70), (40, 0, 120, 120))
def test_a_box_is_cut_off_where_segment_anything_says_so(box: BoxXYXY, crop: BoxXYXY) -> None:
    near = is_box_near_crop_edge(torch.tensor([box]), list(crop), [0, 0, 120, 120])
    # There a box is in the crop's frame, here in the picture's.
    x0, y0, *_ = crop
    moved = (box[0] + x0, box[1] + y0, box[2] + x0, box[3] + y0)
    assert Crop(1, crop, (120, 120)).cuts_off(moved) == bool(near)


def test_a_crop_is_its_box_of_the_picture() -> None:
    picture = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)
    crop = Crop(1, (2, 1, 7, 4), (6, 8))
    assert crop.hw == (3, 5)
    np.testing.assert_array_equal(crop.cut(picture), picture[1:4, 2:7])
    assert crop.cut(picture).flags.c_contiguous
