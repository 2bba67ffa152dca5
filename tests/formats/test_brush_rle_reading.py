"""Masks come back from our run lengths, from Label Studio's own, and from any that the format allows."""

from __future__ import annotations

import numpy as np
import pytest
from example_pictures import MASKS
from hypothesis import example, given
from hypothesis import strategies as st
from label_studio_converter import brush

from ssa.formats.brush_rle import brush_rle
from ssa.formats.brush_rle_reading import mask_of
from ssa.masks.run_lengths import decode, encode
from ssa.types import BoolMask


@given(MASKS)
@example(np.zeros((1, 1), np.bool_))
@example(np.tile(np.array([True, False]), (130, 150)))
def test_what_was_written_comes_back(mask: BoolMask) -> None:
    assert mask_of(brush_rle(encode(mask)), *mask.shape) == encode(mask)


@given(MASKS)
def test_what_label_studio_writes_is_read(mask: BoolMask) -> None:
    theirs = bytes(brush.mask2rle(mask.astype(np.uint8) * 255))
    assert mask_of(theirs, *mask.shape) == encode(mask)


def packed(values: list[int], runs: list[tuple[bool, int]], value_bits: int = 8) -> bytes:
    """Values in stretches of any kind: (whether it is a run of one value, how many there are)."""
    bits = f"{len(values):032b}{value_bits - 1:05b}" + "".join(
        f"{size - 1:04b}" for size in (3, 4, 8, 16)
    )
    at = 0
    for is_run, length in runs:
        bits += f"{int(is_run)}10{length - 1:08b}"
        taken = values[at : at + 1] if is_run else values[at : at + length]
        bits += "".join(f"{value:08b}" for value in taken)
        at += length
    return bytes(int(bits[i : i + 8].ljust(8, "0"), 2) for i in range(0, len(bits), 8))


@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(1, 40), st.integers(0, 255)), min_size=1, max_size=9
    )
)
def test_values_one_by_one_and_soft_edges_are_read(stretches: list[tuple[bool, int, int]]) -> None:
    values = [
        value if is_run else (value + i) % 256 for is_run, n, value in stretches for i in range(n)
    ]
    spare = -len(values) % 4
    runs = [(is_run, n) for is_run, n, _ in stretches]
    if spare:
        values, runs = values + [0] * spare, [*runs, (True, spare)]
    data = packed(values, runs)
    assert brush.decode_rle(list(data)).tolist() == values
    alpha = np.array(values[3::4])
    assert (decode(mask_of(data, 1, len(alpha)))[0] == (alpha >= 128)).all()


def test_what_is_no_mask_of_the_picture_is_refused() -> None:
    data = brush_rle(encode(np.eye(9, 7, dtype=np.bool_)))
    with pytest.raises(ValueError, match="expected 7 × 7 pixels"):
        mask_of(data, 7, 7)
    with pytest.raises(ValueError, match="too early"):
        mask_of(b"", 9, 7)
    with pytest.raises(ValueError, match="too early"):
        mask_of(data[:-3], 9, 7)
    with pytest.raises(ValueError, match="8 bits"):
        mask_of(packed([1, 1, 1, 1], [(True, 4)], value_bits=9), 1, 1)
    with pytest.raises(ValueError, match="expected 4 values; got 5"):
        mask_of(packed([1, 1, 1, 1], [(True, 5)]), 1, 1)
