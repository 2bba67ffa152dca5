"""Run lengths against pycocotools, boxes against segment_anything."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pycocotools import mask as coco
from segment_anything.utils.amg import batched_mask_to_box, box_xyxy_to_xywh

from ssa.masks import run_lengths as masks
from ssa.types import RLE, BoolMask

SIDES = st.integers(1, 40)
MASKS = st.tuples(SIDES, SIDES).flatmap(lambda hw: arrays(np.bool_, hw))


@pytest.mark.filterwarnings("ignore:__array__")  # pycocotools 2.0.11 with numpy 2
@given(MASKS)
def test_decode_undoes_encode_and_agrees_with_pycocotools(mask: BoolMask) -> None:
    rle = masks.encode(mask)
    assert (rle.height, rle.width) == mask.shape
    theirs = coco.decode({"size": [rle.height, rle.width], "counts": rle.counts.encode()})
    np.testing.assert_array_equal(masks.decode(rle), mask)
    np.testing.assert_array_equal(theirs, mask)
    assert masks.area(rle) == mask.sum()


@given(MASKS, st.data())
def test_a_part_is_decoded_as_the_whole_has_it(mask: BoolMask, data: st.DataObject) -> None:
    height, width = mask.shape
    left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    right, bottom = (
        data.draw(st.integers(left + 1, width)),
        data.draw(st.integers(top + 1, height)),
    )
    part = masks.decode_part(masks.encode(mask), (left, top, right, bottom))
    np.testing.assert_array_equal(part, mask[top:bottom, left:right])
    assert part.flags.c_contiguous
    starts, stops = masks.stretches_in(masks.encode(mask), (left, top, right, bottom))
    drawn = np.zeros(part.size, np.bool_)
    for start, stop in zip(starts, stops, strict=True):
        assert start < stop
        drawn[start:stop] = True
    np.testing.assert_array_equal(drawn.reshape(right - left, bottom - top).T, part)


@given(st.lists(st.integers(0, 2**20), min_size=1, max_size=12))
def test_runs_of_undoes_encode_runs(lengths: list[int]) -> None:
    runs = np.array(lengths, dtype=np.int64)
    if runs.sum():
        np.testing.assert_array_equal(masks.runs_of(masks.encode_runs(runs, 1, runs.sum())), runs)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=12).filter(any), st.sampled_from([1, 2, 3]))
def test_stretches_are_the_true_pixels_whatever_the_runs(lengths: list[int], height: int) -> None:
    """Other writers' files have runs of no pixel, first, last and between others."""
    runs = np.array(lengths, dtype=np.int64) * height
    rle = masks.encode_runs(runs, height, runs.sum() // height)
    starts, stops = masks.stretches(rle)
    bounds = np.stack([starts, stops], axis=1).ravel()
    assert (np.diff(bounds) > 0).all()
    drawn = np.zeros(runs.sum(), np.bool_)
    for start, stop in zip(starts, stops, strict=True):
        drawn[start:stop] = True
    np.testing.assert_array_equal(drawn, masks.decode(rle).T.ravel())


def test_runs_go_down_the_columns() -> None:
    runs = np.array([1, 2, 3], dtype=np.int64)
    expected = np.array([[0, 1, 0], [1, 0, 0]], dtype=np.bool_)
    np.testing.assert_array_equal(masks.decode(masks.encode_runs(runs, 2, 3)), expected)
    np.testing.assert_array_equal(masks.decode_runs(runs, 2, 3), expected)


def test_runs_that_do_not_fill_the_picture_are_refused() -> None:
    with pytest.raises(ValueError, match="cover 5 pixels, the picture has 2 x 3"):
        masks.encode_runs(np.array([1, 4]), 2, 3)
    with pytest.raises(ValueError, match="a run is -1 pixels long"):
        masks.decode_runs(np.array([-1, 7]), 2, 3)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=127), max_size=12))
@example("")
@example("0")
@example("o")
@example("oooooooooooo0")
@example("D")
def test_text_from_outside_is_either_a_whole_mask_or_refused(counts: str) -> None:
    rle = RLE(4, 5, counts)
    try:
        mask = masks.decode(rle)
    except ValueError:
        return
    assert mask.shape == (4, 5)
    assert mask.sum() == masks.area(rle)


def test_text_beyond_ascii_is_refused() -> None:
    with pytest.raises(ValueError, match="ascii"):
        masks.decode(RLE(4, 5, "é"))


@given(MASKS)
def test_boxes_are_segment_anythings(mask: BoolMask) -> None:
    theirs = box_xyxy_to_xywh(batched_mask_to_box(torch.from_numpy(mask))).tolist()
    assert list(masks.box_of(mask)) == theirs
