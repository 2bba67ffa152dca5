"""Clean-up on runs against segment_anything's on pixels, and pieces against OpenCV's."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from segment_anything.utils.amg import remove_small_regions

from ssa.masks.cleaning import cleaned, pieces_of
from ssa.masks.run_lengths import decode, encode
from ssa.masks.trace import Trace
from ssa.types import BoolMask

SIDES = st.integers(1, 40)
NOISE = st.tuples(SIDES, SIDES).flatmap(lambda hw: arrays(np.bool_, hw))


@st.composite
def speckled(draw: st.DrawFn) -> BoolMask:
    """A rectangle somewhere, with few or many pixels turned over."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    mask = np.zeros((draw(SIDES), draw(SIDES)), np.bool_)
    rows, columns = (np.sort(rng.integers(0, side + 1, 2)) for side in mask.shape)
    mask[slice(*rows), slice(*columns)] = True
    return mask ^ (rng.random(mask.shape) < draw(st.sampled_from([0, 0.02, 0.2, 0.5])))


def clean(mask: BoolMask, min_area: int) -> tuple[BoolMask, bool]:
    """The mask cleaned, as pixels, and whether anything changed."""
    trace = Trace.of(encode(mask))
    found = cleaned(trace, *mask.shape, min_area)
    return decode(found.rle(*mask.shape)), found is not trace


@given(NOISE | speckled(), st.integers(0, 60))
def test_clean_up_is_segment_anythings(mask: BoolMask, min_area: int) -> None:
    """Of small islands of one size too, of which OpenCV's order decides which stays."""
    if not mask.any():
        return  # Theirs fails on a region of nothing; ours is below.
    filled, changed_first = remove_small_regions(mask, min_area, "holes")
    expected, changed_then = remove_small_regions(filled, min_area, "islands")
    found, changed = clean(mask, min_area)
    np.testing.assert_array_equal(found, expected)
    assert changed == (changed_first or changed_then)


@given(NOISE | speckled())
def test_pieces_are_opencvs(mask: BoolMask) -> None:
    trace = Trace.of(encode(mask))
    piece, sizes = pieces_of(trace, len(mask))
    drawn = np.zeros(mask.shape, np.int32)
    for own, column, start, stop in zip(
        piece, trace.columns, trace.starts, trace.stops, strict=True
    ):
        drawn[start:stop, column] = own + 1
    count, theirs, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    assert len(sizes) == count - 1
    pairs = set(zip(drawn.ravel().tolist(), theirs.ravel().tolist(), strict=True)) - {(0, 0)}
    assert len(pairs) == len(sizes)
    assert {(sizes[own - 1], stats[other, cv2.CC_STAT_AREA]) for own, other in pairs} == {
        (size, size) for size in sizes
    }


def test_clean_up_fills_pinholes_and_drops_specks_but_keeps_the_large() -> None:
    mask = np.zeros((40, 40), dtype=np.bool_)
    mask[5:30, 5:30] = True
    mask[10:12, 10:12] = False  # 4 px
    mask[20:28, 20:28] = False  # 64 px
    mask[35:37, 35:38] = True  # 6 px
    found, changed = clean(mask, 10)
    assert changed
    assert found[11, 11]
    assert not found[24, 24]
    assert not found[35:, 35:].any()
    assert not clean(found, 10)[1]


def test_clean_up_keeps_the_largest_of_small_islands() -> None:
    mask = np.zeros((30, 30), dtype=np.bool_)
    mask[2:4, 2:4] = mask[10:13, 10:13] = True
    found, _ = clean(mask, 50)
    assert found.sum() == 9
    assert found[10:13, 10:13].all()


@pytest.mark.parametrize("value", [False, True])
def test_clean_up_bears_nothing_and_all(value: bool) -> None:
    mask = np.full((30, 30), value)
    found, changed = clean(mask, 50)
    assert not changed
    np.testing.assert_array_equal(found, mask)
