"""The overlay: what is painted, and in which colour."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from drawn_regions import annotated, grey, of_groups, place_names, rectangle
from hypothesis import given, settings
from hypothesis import strategies as st

from ssa.drawing import tint
from ssa.drawing.colours import GREY, label_colour
from ssa.drawing.overlay import draw_overlay
from ssa.drawing.regions import regions_of
from ssa.types import AnnotatedImage, LabelMap

# --- the picture ----------------------------------------------------------------------------------


def test_without_annotations_the_picture_comes_back_unchanged() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (7, 9, 3), dtype=np.uint8)
    result = draw_overlay(picture, AnnotatedImage(7, 9, ()))
    assert np.array_equal(result, picture)
    assert not np.shares_memory(result, picture)


def test_only_the_regions_are_painted_and_the_input_is_left_alone() -> None:
    picture = grey(60, 80)
    mask = rectangle((60, 80), 10, 20, 40, 70)
    result = draw_overlay(picture, annotated((mask, "box")))
    changed = (result != picture).any(axis=-1)
    assert np.array_equal(changed, mask)
    assert result.dtype == np.uint8
    assert (picture == 120).all()


def test_the_last_row_and_column_of_a_region_are_painted_too() -> None:
    mask = rectangle((30, 30), 0, 0, 30, 30)
    result = draw_overlay(grey(30, 30), annotated((mask, "all")))
    assert (result[-1, -1] != 120).any()


def test_the_fill_is_the_labels_colour_and_lets_the_picture_through() -> None:
    mask = rectangle((50, 50), 5, 5, 15, 15)  # too small for the name
    red, green, blue = label_colour("house")
    dark, light = (
        draw_overlay(grey(50, 50, value), annotated((mask, "house")))[10, 10] for value in (0, 200)
    )
    share = tint.FILL_OPACITY
    assert np.abs(dark - share * np.array([red, green, blue])).max() <= 1
    assert np.abs(light.astype(float) - dark - 200 * (1 - share)).max() <= 1


def test_small_regions_lie_on_large_ones_in_whatever_order_they_come() -> None:
    large = (rectangle((60, 60), 0, 0, 60, 60), "i")
    small = (rectangle((60, 60), 50, 50, 58, 58), "j")
    one, other = (
        draw_overlay(grey(60, 60), annotated(*order)) for order in ([large, small], [small, large])
    )
    assert np.array_equal(one, other)
    alone = draw_overlay(grey(60, 60), annotated(small))
    assert np.array_equal(one[51:57, 51:57], alone[51:57, 51:57])


def test_the_outline_is_lighter_than_the_fill() -> None:
    mask = rectangle((200, 200), 40, 40, 60, 60)
    result = draw_overlay(grey(200, 200, 60), annotated((mask, "a region with too long a name")))
    edge, inside = result[40, 50].astype(int), result[50, 50].astype(int)
    assert edge.sum() > inside.sum() + 60
    for place in [(59, 50), (50, 40), (50, 59)]:
        assert np.array_equal(result[place], result[40, 50])


def test_the_outline_widens_with_the_picture() -> None:
    def width(side: int) -> int:
        mask = rectangle((side, side), 0, 0, side // 2, side)
        column = draw_overlay(grey(side, side, 0), annotated((mask, "")))[: side // 2, 3].sum(
            axis=1
        )
        return int((column > column[side // 4]).sum())

    assert [width(side) for side in (200, 800, 1200)] == [1, 2, 3]


def test_a_picture_of_another_size_is_refused() -> None:
    mask = rectangle((5, 5), 0, 0, 2, 2)
    with pytest.raises(ValueError, match="expected a picture of shape"):
        draw_overlay(grey(5, 6), annotated((mask, "x")))
    with pytest.raises(ValueError, match="expected masks of shape"):
        draw_overlay(grey(6, 6), AnnotatedImage(6, 6, annotated((mask, "x")).annotations))


@given(st.integers(0, 2**32), st.integers(1, 90), st.integers(1, 90))
@settings(max_examples=30, deadline=None)
def test_any_regions_in_any_picture_can_be_drawn(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    regions = []
    for label in ["sky", "a long\nname", "", "犬", "x" * 300]:
        noise = cv2.blur(rng.random((height, width)).astype(np.float32), (9, 9))
        regions.append((noise.reshape(height, width) > rng.uniform(0.3, 0.7), label))
    picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    result = draw_overlay(picture, annotated(*regions))
    assert result.shape == picture.shape
    untouched = ~np.any([mask for mask, _ in regions], axis=0)
    for left, top, right, bottom in place_names(annotated(*regions)).values():
        untouched[top:bottom, left:right] = False
    assert np.array_equal(result[untouched], picture[untouched])


# --- other ways to label ----------------------------------------------------------------------------


def fills(image: AnnotatedImage, *places: tuple[int, int]) -> list[tuple[int, ...]]:
    """The colours (less the picture's, which is black) at places inside regions."""
    drawn = draw_overlay(grey(image.height, image.width, 0), image)
    return [tuple(int(value) for value in drawn[place]) for place in places]


SLIPS = [rectangle((90, 90), top, 5, top + 9, 14) for top in (5, 25, 45, 65)]
INSIDE = [(top + 4, 9) for top in (5, 25, 45, 65)]


@pytest.mark.parametrize("called", [("cluster 0", "cluster 1"), ("dog", "dog")])
def test_groups_have_a_colour_each_whatever_they_are_called(called: tuple[str, str]) -> None:
    numbers = (0, 1, 0, 1)
    groups = zip(SLIPS, (called[number] for number in numbers), numbers, strict=True)
    one, two, same, other = fills(of_groups(*groups), *INSIDE)
    assert one == same != two == other


def test_what_is_in_no_group_is_grey_and_has_no_name() -> None:
    large = rectangle((90, 90), 0, 0, 90, 90)
    image = of_groups((large, "unclustered", -1))
    (colour,) = fills(image, (45, 45))
    assert np.abs(np.array(colour) - tint.FILL_OPACITY * np.array(GREY)).max() <= 1
    assert place_names(image) == {}


def test_without_labels_every_region_has_a_colour_and_no_name() -> None:
    large = rectangle((90, 90), 0, 20, 90, 90)
    regions = [(mask, None, None) for mask in [*SLIPS, large]]
    image = of_groups(*regions)
    assert len(set(fills(image, *INSIDE, (45, 60)))) == 5
    assert place_names(image) == {}


def test_a_label_map_is_drawn_by_class_and_its_masks_are_not() -> None:
    class_ids = np.zeros((90, 90), np.int16)
    class_ids[:, 60:] = class_ids[:20, :20] = 2  # one class in two places
    label_map = LabelMap("ade20k", class_ids, ("sky", "sea", "sand"))
    image = AnnotatedImage(90, 90, of_groups((SLIPS[2], "sea", None)).annotations, {}, label_map)
    corner, right, left = fills(image, (4, 4), (80, 85), INSIDE[2])
    assert corner == right != left
    places = place_names(image)
    assert set(places) == {"sky", "sand"}
    assert places["sand"][0] >= 60
    assert places["sky"][2] <= 60
    # By size, since of two names in one place the larger region's stays.
    assert [region.name for region in regions_of(image)[0]] == ["sky", "sand"]
    alone = AnnotatedImage(90, 90, (), {}, label_map)
    assert np.array_equal(draw_overlay(grey(90, 90), image), draw_overlay(grey(90, 90), alone))


def test_what_is_doubtful_is_grey_and_asks() -> None:
    mask = np.zeros((100, 100), np.bool_)
    mask[20:80, 20:80] = True
    (named,) = annotated((mask, "house")).annotations
    sure = AnnotatedImage(100, 100, (replace(named, confidence=0.75),))
    as_ever = draw_overlay(grey(100, 100), annotated((mask, "house")))
    assert np.array_equal(draw_overlay(grey(100, 100), sure), as_ever)
    assert np.array_equal(draw_overlay(grey(100, 100), sure, doubtful_below=0.75), as_ever)
    (region,), _ = regions_of(sure, 0.76)
    assert (region.name, region.colour) == ("house?", GREY)
    assert not np.array_equal(draw_overlay(grey(100, 100), sure, doubtful_below=0.76), as_ever)
    unknown = annotated((mask, "house"))
    assert np.array_equal(draw_overlay(grey(100, 100), unknown, doubtful_below=1.0), as_ever)
