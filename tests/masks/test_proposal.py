"""Masks that no model found, in the form that models' masks have."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ssa.masks.proposal import proposal_of
from ssa.masks.run_lengths import area, box_of, decode
from ssa.types import BoolMask

SIDES = st.tuples(st.integers(1, 12), st.integers(1, 12))


@given(SIDES.flatmap(lambda hw: arrays(np.bool_, hw)))
def test_all_that_is_told_is_the_masks(mask: BoolMask) -> None:
    found = proposal_of(mask)
    np.testing.assert_array_equal(decode(found.rle), mask)
    assert found.area_px == area(found.rle) == mask.sum()
    assert found.bbox_xywh == box_of(mask)
    assert found.crop_box_xywh == (0, 0, mask.shape[1], mask.shape[0])


def test_points_are_kept_in_order() -> None:
    mask = np.ones((2, 3), np.bool_)
    assert proposal_of(mask, (2.0, 1.0), (0.0, 0.5)).points_xy == ((2.0, 1.0), (0.0, 0.5))
    assert proposal_of(mask).points_xy == ()
