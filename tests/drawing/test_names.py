"""Where names may and may not stand, and how their letters look."""

import itertools

import cv2
import numpy as np
import pytest
from drawn_regions import annotated, grey, place_names, rectangle
from hypothesis import given, settings
from hypothesis import strategies as st

from ssa.drawing.overlay import draw_overlay


def test_a_name_stands_where_its_region_is_widest_and_not_at_the_boxs_centre() -> None:
    shape = (300, 300)
    # a thin L with a large foot: the box's centre is not even inside
    mask = rectangle(shape, 0, 0, 300, 12) | rectangle(shape, 200, 0, 300, 200)
    left, top, right, bottom = place_names(annotated((mask, "foot")))["foot"]
    assert mask[top:bottom, left:right].all()
    assert abs((left + right) / 2 - 100) < 20
    assert abs((top + bottom) / 2 - 250) < 20


def test_in_a_strip_the_name_stands_in_the_middle() -> None:
    mask = rectangle((200, 400), 100, 0, 160, 400)
    left, _, right, _ = place_names(annotated((mask, "road")))["road"]
    assert abs((left + right) / 2 - 200) <= 3


def test_the_whole_of_a_part_is_named_where_it_shows() -> None:
    shape = (200, 200)
    whole, part = rectangle(shape, 0, 0, 200, 200), rectangle(shape, 0, 0, 140, 200)
    places = place_names(annotated((whole, "whole"), (part, "part")))
    assert places["whole"][1] >= 140
    assert places["part"][3] <= 140


def test_a_hidden_region_is_not_named() -> None:
    mask = rectangle((100, 100), 0, 0, 100, 100)
    assert set(place_names(annotated((mask, "below"), (mask, "above")))) == {"above"}


def test_a_small_region_is_painted_but_not_named() -> None:
    mask = rectangle((200, 200), 50, 50, 62, 62)
    assert place_names(annotated((mask, "window"))) == {}
    assert (draw_overlay(grey(200, 200), annotated((mask, "window")))[56, 56] != 120).any()


def test_names_grow_with_the_picture_but_not_beyond_measure() -> None:
    def height(side: int) -> int:
        box = place_names(annotated((rectangle((side, side), 0, 0, side, side), "sky")))["sky"]
        return box[3] - box[1]

    assert height(200) < height(800) < height(1200) < 1200 / 12


@given(st.integers(0, 2**32))
@settings(max_examples=12, deadline=None)
def test_names_stay_in_the_picture_and_off_each_other(seed: int) -> None:
    rng = np.random.default_rng(seed)
    regions = []
    for index in range(25):
        canvas = np.zeros((240, 320), dtype=np.uint8)
        centre = (int(rng.integers(320)), int(rng.integers(240)))
        axes = (int(rng.integers(3, 90)), int(rng.integers(3, 90)))
        cv2.ellipse(canvas, centre, axes, int(rng.integers(180)), 0, 360, 1, -1)
        regions.append((canvas.astype(bool), f"thing {index}"))
    boxes = list(place_names(annotated(*regions)).values())
    assert boxes
    for left, top, right, bottom in boxes:
        assert 0 <= left < right <= 320
        assert 0 <= top < bottom <= 240
    for one, other in itertools.combinations(boxes, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


@pytest.mark.parametrize("ground", [0, 128, 255])
@pytest.mark.parametrize("text", ["sky", "jolly dog", "Ägypten"])
def test_letters_fill_their_box_light_on_dark(ground: int, text: str) -> None:
    mask = rectangle((400, 400), 0, 0, 400, 400)
    ((left, top, right, bottom),) = place_names(annotated((mask, text))).values()
    result = draw_overlay(grey(400, 400, ground), annotated((mask, text)))
    rows, columns = (result.min(axis=-1) == 255).nonzero()
    assert top < rows.min() <= top + 4
    assert bottom - 7 <= rows.max() < bottom - 1
    assert left < columns.min() <= left + 4
    assert right - 8 <= columns.max() < right - 1
    dark = result[top:bottom, left:right].max(axis=-1) < 40
    assert dark.sum() > len(rows) / 4
