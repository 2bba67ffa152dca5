"""Which of several like masks stays, and what cleaning leaves of one."""

from __future__ import annotations

import numpy as np

from ssa.config import MaskSettings
from ssa.masks import run_lengths as masks
from ssa.models.promptable import suppression
from ssa.types import BoxXYWH, MaskProposal


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
    assert suppression.without_specks([dirty, clean], settings) == [clean]
    (cleaned,) = suppression.without_specks([dirty], settings)
    assert (cleaned.rle, cleaned.bbox_xywh, cleaned.area_px) == (
        clean.rle,
        clean.bbox_xywh,
        clean.area_px,
    )


def test_no_mask_stays_twice_and_the_first_does() -> None:
    first, other = proposal(10, 1), proposal(12, 1)
    again = proposal(10, 1, crop=(0, 0, 20, 20))
    assert suppression.distinct([first, other, again]) == (first, other)
