"""Polygons against the rasterisers of pycocotools and OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from example_pictures import MASKS, disc, ring
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco

from ssa.masks.polygons import Polygon, contour_of, polygons_of
from ssa.masks.run_lengths import encode, encode_runs
from ssa.types import RLE, BoolMask

# pycocotools 2.0.11 with numpy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array__")


def picture(*rows: str) -> BoolMask:
    return np.array([[pixel == "#" for pixel in row] for row in rows])


def by_pycocotools(polygons: list[Polygon], height: int, width: int) -> BoolMask:
    """As COCO's reader does it: each polygon by itself, then their union."""
    if not polygons:
        return np.zeros((height, width), dtype=np.bool_)
    flat = [polygon.ravel().tolist() for polygon in polygons]
    return coco.decode(coco.merge(coco.frPyObjects(flat, height, width))).astype(np.bool_)


def by_opencv(contour: Polygon, height: int, width: int) -> BoolMask:
    canvas = np.zeros((height, width), dtype=np.uint8)
    if len(contour):
        cv2.fillPoly(canvas, [contour.astype(np.int32)], 1)
    return canvas.astype(np.bool_)


def parts_of(mask: BoolMask) -> list[BoolMask]:
    """Pixels that touch by a side."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    return [labels == number for number in range(1, count)]


RINGS_IN_RINGS = ring(60, 60, 30, 30, 29) | ring(60, 60, 30, 30, 10) | disc(60, 60, 30, 30, 2)
TWO_HOLES_IN_LINE = picture("####", "#.##", "####", "#.##", "####")
HOLES_THAT_TOUCH = picture("#####", "#.#.#", "##.##", "#.#.#", "#####")
HOLE_UNDER_A_STEP = picture("..##", "####", "##.#", "####")
SPECKS = np.indices((9, 10)).sum(axis=0) % 2 == 0


@given(MASKS)
@example(RINGS_IN_RINGS)
@example(TWO_HOLES_IN_LINE)
@example(HOLES_THAT_TOUCH)
@example(HOLE_UNDER_A_STEP)
@example(HOLE_UNDER_A_STEP[:, ::-1])
@example(SPECKS)
@example(~SPECKS)
@example(np.ones((3, 4), dtype=np.bool_))
@settings(max_examples=300)
def test_polygons_are_the_mask_to_the_pixel(mask: BoolMask) -> None:
    polygons = polygons_of(encode(mask))
    np.testing.assert_array_equal(by_pycocotools(polygons, *mask.shape), mask)
    assert len(polygons) == len(parts_of(mask))


@given(MASKS)
@settings(max_examples=200)
def test_sides_are_level_and_upright_in_turn_and_the_region_lies_on_their_right(
    mask: BoolMask,
) -> None:
    polygons = polygons_of(encode(mask))
    for polygon in polygons:
        sides = np.roll(polygon, -1, axis=0) - polygon
        level = sides[:, 1] == 0
        assert (level ^ (sides[:, 0] == 0)).all()
        assert (level != np.roll(level, 1)).all()
    # Shoelace, y down: clockwise is positive, and what a hole takes is taken off.
    assert sum(signed_area(polygon) for polygon in polygons) == mask.sum()


def signed_area(polygon: Polygon) -> float:
    x, y = polygon.T
    return float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2


def test_a_rectangle_has_its_four_corners() -> None:
    mask = np.zeros((9, 9), dtype=np.bool_)
    mask[2:5, 3:8] = True
    (polygon,) = polygons_of(encode(mask))
    start = polygon.tolist().index([3, 2])
    assert np.roll(polygon, -start, axis=0).ravel().tolist() == [3, 2, 8, 2, 8, 5, 3, 5]


def test_pixels_that_touch_by_a_corner_are_parts_the_leftmost_first() -> None:
    polygons = polygons_of(encode(picture(".#", "#.")))
    assert [polygon.min(axis=0).tolist() for polygon in polygons] == [[0, 1], [1, 0]]


def test_an_empty_mask_has_no_polygon() -> None:
    assert polygons_of(encode(np.zeros((4, 5), dtype=np.bool_))) == []
    assert contour_of(encode(np.zeros((4, 5), dtype=np.bool_))).shape == (0, 2)


@given(st.lists(st.integers(0, 6), min_size=1, max_size=12), st.sampled_from([1, 2, 3]))
def test_runs_of_no_pixels_change_nothing(lengths: list[int], height: int) -> None:
    width = -(-sum(lengths) // height) + 1
    runs = np.array([*lengths, height * width - sum(lengths)])
    inside = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    mask = inside.reshape(width, height).T
    polygons = polygons_of(encode_runs(runs, height, width))
    np.testing.assert_array_equal(by_pycocotools(polygons, height, width), mask)


@pytest.mark.parametrize("rle", [RLE(3, 3, "05"), RLE(3, 3, "0\x00"), RLE(2, 2, "")])
def test_runs_that_do_not_fill_the_picture_are_refused(rle: RLE) -> None:
    with pytest.raises(ValueError, match="run"):
        polygons_of(rle)


@given(MASKS, st.data())
@settings(max_examples=300)
def test_a_contour_of_one_part_is_painted_as_the_mask(mask: BoolMask, data: st.DataObject) -> None:
    part = data.draw(st.sampled_from(parts_of(mask) or [mask]))
    contour = contour_of(encode(part))
    np.testing.assert_array_equal(by_opencv(contour, *mask.shape), part)


@given(MASKS)
@example(RINGS_IN_RINGS)
@settings(max_examples=200)
def test_a_contour_of_several_parts_paints_beside_them_its_cuts_alone(mask: BoolMask) -> None:
    painted = by_opencv(contour_of(encode(mask)), *mask.shape)
    assert not (mask & ~painted).any()
    extra = int((painted & ~mask).sum())
    assert extra <= (len(parts_of(mask)) - 1) * max(mask.shape) if mask.any() else extra == 0


def test_touching_parts_are_joined_where_they_touch() -> None:
    mask = picture("##..", "##..", "..##", "..##")
    np.testing.assert_array_equal(by_opencv(contour_of(encode(mask)), 4, 4), mask)
