"""Label Studio's own converter gets back exactly the mask, and would have written the same."""

from __future__ import annotations

import numpy as np
import pytest
from example_pictures import MASKS
from hypothesis import example, given
from hypothesis import strategies as st
from label_studio_converter import brush
from numpy.typing import NDArray

from ssa.formats.brush_rle import brush_rle
from ssa.masks.run_lengths import encode, encode_runs
from ssa.types import RLE, BoolMask


def decoded(data: bytes, height: int, width: int) -> NDArray[np.uint8]:
    """(H, W, 4): what Label Studio makes of the bytes."""
    values: NDArray[np.uint8] = brush.decode_rle(list(data))
    return values.reshape(height, width, 4)


def painted(mask: BoolMask) -> NDArray[np.uint8]:
    return np.repeat(mask[..., None], 4, axis=2) * np.uint8(255)


@given(MASKS)
@example(np.zeros((1, 1), np.bool_))
@example(np.ones((1, 1), np.bool_))
def test_label_studio_gets_back_the_mask(mask: BoolMask) -> None:
    np.testing.assert_array_equal(decoded(brush_rle(encode(mask)), *mask.shape), painted(mask))


@given(MASKS)
def test_label_studio_would_have_written_the_same(mask: BoolMask) -> None:
    ours = brush_rle(encode(mask))
    theirs = bytes(brush.mask2rle(mask.astype(np.uint8) * 255))
    # Where the bits fill a byte, theirs adds an empty one.
    assert theirs in (ours, ours + b"\0")


# Four values a pixel: lengths about 8, 16, 256 and 65,536 and several times the last.
@pytest.mark.parametrize(
    "pixels", [1, 2, 3, 4, 5, 63, 64, 65, 16_383, 16_384, 16_385, 32_768, 32_769, 70_000]
)
@pytest.mark.parametrize("first", [False, True])
def test_runs_of_every_length(pixels: int, first: bool) -> None:
    width = pixels + 3
    mask = np.full((1, width), not first)
    mask[0, :pixels] = first
    np.testing.assert_array_equal(decoded(brush_rle(encode(mask)), 1, width), painted(mask))


@given(st.lists(st.integers(1, 40_000), min_size=1, max_size=8))
def test_long_runs_in_any_order(lengths: list[int]) -> None:
    # A picture of one row: its rows and columns are the same run.
    rle = encode_runs(np.array([0, *lengths]), 1, sum(lengths))
    inside = np.repeat(np.arange(len(lengths)) % 2 == 0, lengths)
    data = brush_rle(rle)
    np.testing.assert_array_equal(decoded(data, 1, sum(lengths))[0, :, 3], inside * np.uint8(255))


def test_a_picture_too_large_to_count_is_refused() -> None:
    with pytest.raises(ValueError, match=r"fewer than 2\^30 pixels; got 32768 × 32768"):
        brush_rle(RLE(32768, 32768, "0"))


def test_runs_that_do_not_fill_the_picture_are_refused() -> None:
    with pytest.raises(ValueError, match="runs cover 5 pixels"):
        brush_rle(RLE(3, 4, "5"))
