"""Which of several like masks stays, and what cleaning leaves of one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ssa.config import MaskSettings
from ssa.masks import run_lengths as masks
from ssa.models.promptable import suppression
from ssa.types import BoxXYWH, MaskProposal


@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 40), st.integers(0, 60))
def test_cleaning_a_masks_surroundings_is_cleaning_the_picture(
    seed: int, height: int, width: int, min_area: int
) -> None:
    rng = np.random.default_rng(seed)
    mask = np.zeros((height, width), dtype=np.bool_)
    rows, columns = (np.sort(rng.integers(0, side + 1, 2)) for side in (height, width))
    mask[slice(*rows), slice(*columns)] = True
    mask ^= rng.random(mask.shape) < rng.choice([0, 0.02, 0.2])
    mask[rng.integers(height), rng.integers(width)] = True
    rle, box = masks.encode(mask), masks.box_of(mask)
    found = MaskProposal(rle, box, int(mask.sum()), 1.0, 1.0, (0, 0, width, height), ((0, 0),))
    cleaned, changed = suppression._clean_one(found, min_area)
    expected, was_changed = masks.clean_small_regions(mask, min_area)
    assert changed == was_changed
    np.testing.assert_array_equal(masks.decode(cleaned.rle), expected)
    assert (cleaned.bbox_xywh, cleaned.area_px) == (masks.box_of(expected), expected.sum())


def proposal(
    x: int, width: int, crop: BoxXYWH = (0, 0, 40, 40), speck: bool = False
) -> MaskProposal:
    """A rectangle 20 high in a picture of 40 × 40, found in a crop; with a speck of one pixel or without."""
    mask = np.zeros((40, 40), dtype=np.bool_)
    mask[10:30, x : x + width] = True
    mask[0, 0] = speck
    box = masks.box_of(mask)
    return MaskProposal(masks.encode(mask), box, int(mask.sum()), 0.9, 0.9, crop, ((x, 10),))


def test_across_crops_the_smallest_crops_mask_stays() -> None:
    coarse, fine = proposal(10, 20), proposal(10, 19, crop=(5, 5, 30, 30))
    elsewhere = proposal(0, 5)
    found = suppression.without_copies_across_crops([coarse, fine, elsewhere], 0.7)
    assert found == [fine, elsewhere]


def test_of_masks_that_become_alike_the_one_that_needed_no_cleaning_stays() -> None:
    dirty, clean = proposal(10, 20, speck=True), proposal(10, 20)
    settings = MaskSettings(min_mask_region_area=5)
    assert suppression.cleaned([dirty, clean], settings) == [clean]
    (cleaned,) = suppression.cleaned([dirty], settings)
    assert cleaned.rle == clean.rle


def test_no_mask_stays_twice_and_the_first_does() -> None:
    first, other = proposal(10, 1), proposal(12, 1)
    again = proposal(10, 1, crop=(0, 0, 20, 20))
    assert suppression.distinct([first, other, again]) == (first, other)
