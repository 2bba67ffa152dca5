"""The legend: a row a label, and every region that shows is named in place or by its number."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssa.drawing.legend import MOST_ROWS, rows_of, with_legend
from ssa.drawing.names import place_names
from ssa.drawing.overlay import draw_overlay
from ssa.drawing.regions import regions_of
from ssa.masks.proposal import proposal_of
from ssa.types import AnnotatedImage, Annotation, BoolMask


def disc(shape_hw: tuple[int, int], row: int, column: int, radius: float) -> BoolMask:
    rows, columns = np.mgrid[: shape_hw[0], : shape_hw[1]]
    return (rows - row) ** 2 + (columns - column) ** 2 < radius**2


def picture_of(*regions: tuple[BoolMask, str | None]) -> AnnotatedImage:
    height, width = regions[0][0].shape
    return AnnotatedImage(
        height, width, tuple(Annotation(proposal_of(mask), name) for mask, name in regions)
    )


SHAPE = (200, 300)
CAR = picture_of(
    (disc(SHAPE, 100, 150, 80), "car"),
    (disc(SHAPE, 150, 110, 9), "wheel"),
    (disc(SHAPE, 150, 190, 8), "wheel"),
)


def test_of_two_equal_wheels_both_can_be_found() -> None:
    regions, owner = regions_of(CAR)
    names = place_names(regions, owner, numbered=True)
    assert {name.text for name in names.values()} == {"car", "2", "3"}
    assert [row.text for row in rows_of(regions, names)] == ["car", "wheel x 2  (2, 3)"]
    for position, (column, row) in {1: (110, 150), 2: (190, 150)}.items():
        left, top, right, bottom = names[position].box_xyxy
        assert left < column < right
        assert top < row < bottom


def test_without_a_legend_there_are_no_numbers_and_the_size_stays() -> None:
    assert {name.text for name in place_names(*regions_of(CAR)).values()} == {"car"}
    grey = np.full((*SHAPE, 3), 90, np.uint8)
    assert draw_overlay(grey, CAR).shape == (*SHAPE, 3)
    with_one = draw_overlay(grey, CAR, legend=True)
    assert with_one.shape[0] > SHAPE[0] or with_one.shape[1] > SHAPE[1]


def test_a_swatch_has_the_labels_colour_and_the_picture_its_place() -> None:
    regions, owner = regions_of(CAR)
    names = place_names(regions, owner, numbered=True)
    canvas = np.full((*SHAPE, 3), 90, np.uint8)
    sheet = with_legend(canvas, regions, names)
    assert np.array_equal(sheet[: SHAPE[0], : SHAPE[1]], canvas)
    beyond = np.ones(sheet.shape[:2], bool)
    beyond[: SHAPE[0], : SHAPE[1]] = False
    colours = {tuple(colour) for colour in sheet[beyond].tolist()}
    assert {region.colour for region in regions} <= colours


def test_nothing_found_has_no_legend() -> None:
    grey = np.full((5, 6, 3), 90, np.uint8)
    assert np.array_equal(draw_overlay(grey, AnnotatedImage(5, 6, ()), legend=True), grey)


def test_a_hidden_region_is_counted_and_has_no_number() -> None:
    hidden = picture_of((disc(SHAPE, 60, 60, 30), "coin"), (disc(SHAPE, 60, 60, 30), "badge"))
    regions, owner = regions_of(hidden)
    names = place_names(regions, owner, numbered=True)
    assert [row.text for row in rows_of(regions, names)] == ["coin", "badge"]
    assert {name.text for name in names.values()} <= {"badge", "2"}


def test_masks_without_labels_are_numbered() -> None:
    bare = picture_of((disc(SHAPE, 60, 60, 30), None), (disc(SHAPE, 60, 200, 20), None))
    regions, owner = regions_of(bare)
    names = place_names(regions, owner, numbered=True)
    assert [row.text for row in rows_of(regions, names)] == ["region x 2  (1, 2)"]


def test_very_many_labels_end_in_a_word() -> None:
    rng = np.random.default_rng(0)
    many = [(disc(SHAPE, *rng.integers(0, 200, 2), 3), f"thing {number}") for number in range(150)]
    regions, owner = regions_of(picture_of(*many))
    rows = rows_of(regions, place_names(regions, owner, numbered=True))
    assert len(rows) == MOST_ROWS
    assert rows[-1].text == "... and 31 more"


@given(st.integers(0, 2**32), st.integers(1, 90), st.integers(1, 90))
@settings(max_examples=25, deadline=None)
def test_any_picture_can_have_one(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    regions = [(rng.random((height, width)) > 0.7, name) for name in ("sky", "", "x" * 300, "犬")]
    image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    drawn = draw_overlay(image, picture_of(*regions), legend=True)
    assert drawn.shape[0] >= height
    assert drawn.shape[1] >= width


@pytest.mark.parametrize("shape_hw", [(100, 900), (900, 100)])
def test_it_stands_where_it_takes_least_room(shape_hw: tuple[int, int]) -> None:
    regions, owner = regions_of(picture_of((disc(shape_hw, 50, 50, 40), "moon")))
    sheet = with_legend(np.zeros((*shape_hw, 3), np.uint8), regions, place_names(regions, owner))
    height, width = sheet.shape[:2]
    assert (height > shape_hw[0]) == (shape_hw[0] > shape_hw[1])  # at its short end
    assert height * width < 2 * shape_hw[0] * shape_hw[1]
