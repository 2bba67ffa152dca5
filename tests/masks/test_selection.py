"""Which masks stay: the better of two copies, the best of many, in the order they came in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from fakes import proposal
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ssa.config import SelectionSettings
from ssa.masks.overlaps import ious
from ssa.masks.selection import kept, selected
from ssa.types import MaskProposal

PROPOSALS = st.lists(
    st.builds(
        lambda mask, quality: replace(proposal(mask), predicted_iou=quality),
        arrays(np.bool_, (3, 4)),
        st.floats(0, 1),
    ),
    max_size=8,
)


def square(side: int, quality: float) -> MaskProposal:
    mask = np.zeros((10, 10), np.bool_)
    mask[:side, :side] = True
    return replace(proposal(mask), predicted_iou=quality)


@given(PROPOSALS, st.floats(0, 1), st.none() | st.integers(1, 5))
def test_positions_are_those_of_the_masks_that_stay(
    found: list[MaskProposal], thresh: float, most: int | None
) -> None:
    settings = SelectionSettings(mask_nms_thresh=thresh, max_masks=most)
    positions = kept(found, settings)
    assert positions == sorted(set(positions))
    assert tuple(found[position] for position in positions) == selected(found, settings)


@given(PROPOSALS)
def test_by_itself_all_stay(found: list[MaskProposal]) -> None:
    assert selected(found, SelectionSettings()) == tuple(found)


def test_of_copies_the_better_one_stays() -> None:
    # 64 of 81 pixels are shared: 0.79. 25 of 81 and 25 of 64 are less.
    found = [square(8, 0.7), square(5, 0.5), square(9, 0.9)]
    assert selected(found, SelectionSettings(mask_nms_thresh=0.8)) == tuple(found)
    assert selected(found, SelectionSettings(mask_nms_thresh=0.75)) == (found[1], found[2])
    assert selected(found, SelectionSettings(mask_nms_thresh=0.0)) == (found[2],)


def test_a_stain_far_away_makes_no_second_mask() -> None:
    """What box suppression keeps: the same thing, and its box is another by one pixel."""
    plain = square(6, 0.9)
    mask = np.zeros((10, 10), np.bool_)
    mask[:6, :6] = mask[9, 9] = True
    stained = replace(proposal(mask), predicted_iou=0.8)
    assert selected([stained, plain], SelectionSettings(mask_nms_thresh=0.9)) == (plain,)


def test_at_most_so_many_stay_and_keep_their_order() -> None:
    found = [square(3, 0.7), square(4, 0.9), square(5, 0.8), square(6, 0.7)]
    assert selected(found, SelectionSettings(max_masks=2)) == (found[1], found[2])
    assert selected(found, SelectionSettings(max_masks=3)) == tuple(found[:3])
    assert selected(found, SelectionSettings(max_masks=9)) == tuple(found)


@given(PROPOSALS, st.floats(0, 0.99))
def test_no_two_that_stay_are_copies_and_what_goes_is_one_of_a_better(
    found: list[MaskProposal], thresh: float
) -> None:
    kept = selected(found, SelectionSettings(mask_nms_thresh=thresh))
    rles = [one.rle for one in kept]
    shared = ious(rles, rles)
    np.fill_diagonal(shared, 0)
    assert (shared <= thresh).all()
    for gone in (one for one in found if one not in kept):
        better = [one.rle for one in kept if one.predicted_iou >= gone.predicted_iou]
        assert (ious([gone.rle], better) > thresh).any()
