"""Boxes around masks: laws that hold for every box, scale and picture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.reference import published_box
from ssa.masks import run_lengths as masks
from ssa.pictures.crops import crop, cut_box, scaled_box

SIDES = st.integers(1, 300)
PLACES = st.floats(-400, 400)
SPANS = st.floats(0, 400)
BOXES = st.tuples(PLACES, PLACES, SPANS, SPANS)


@given(BOXES, st.floats(0, 10), SIDES, SIDES)
@settings(deadline=None)
def test_a_box_is_never_empty_and_never_outside(
    bbox: tuple[float, float, float, float], scale: float, height: int, width: int
) -> None:
    left, top, right, bottom = scaled_box(bbox, scale, height, width)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height


@given(BOXES, st.floats(0, 5), st.floats(0, 5), SIDES, SIDES)
@settings(deadline=None)
def test_a_greater_scale_holds_the_smaller_ones_box(
    bbox: tuple[float, float, float, float], one: float, other: float, height: int, width: int
) -> None:
    inner = scaled_box(bbox, min(one, other), height, width)
    outer = scaled_box(bbox, max(one, other), height, width)
    assert np.all(np.array(outer[:2]) <= inner[:2])
    assert np.all(np.array(outer[2:]) >= inner[2:])


@given(st.integers(0, 2**63), st.floats(1, 3))
@settings(deadline=None)
def test_from_scale_one_on_the_whole_mask_is_inside(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((17, 23)) < rng.choice([0.004, 0.02, 0.2])
    box = scaled_box(masks.box_of(mask), scale, *mask.shape)
    assert crop(mask, box).sum() == mask.sum()


def test_scale_one_is_the_masks_own_box() -> None:
    mask = np.zeros((20, 30), dtype=bool)
    mask[4:9, 10:12] = True
    assert scaled_box(masks.box_of(mask), 1.0, 20, 30) == (10, 4, 12, 9)


def test_the_box_grows_about_its_centre_and_stops_at_the_picture() -> None:
    assert scaled_box((40, 20, 9, 19), 2.0, 100, 100) == (35, 10, 55, 50)
    assert scaled_box((0, 20, 9, 79), 2.0, 100, 100) == (0, 0, 15, 100)


@pytest.mark.parametrize(
    ("bbox", "scale", "height"),
    [((0, 0, -1, 5), 1.0, 9), ((0, 0, float("nan"), 5), 1.0, 9), ((0, 0, 1, 1), -1.0, 9),
     ((0, 0, 1, 1), float("inf"), 9), ((0, 0, 1, 1), 1.0, 0)],
)  # fmt: skip
def test_nonsense_is_refused(bbox: tuple[float, ...], scale: float, height: int) -> None:
    with pytest.raises(ValueError, match="expected a finite box"):
        scaled_box(bbox, scale, height, 9)  # type: ignore[arg-type]


def test_crop_cuts_pictures_and_masks_alike() -> None:
    picture = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    assert np.array_equal(crop(picture, (1, 2, 4, 3)), picture[2:3, 1:4])
    assert crop(picture[..., 0] > 9, (0, 1, 2, 4)).shape == (3, 2)


@pytest.mark.parametrize(
    ("bbox", "scale", "expected"),
    [
        # 10 columns: half of the added 0.2 is 1 a side.
        ((40, 20, 9, 19), 1.2, (39, 18, 51, 42)),
        # 11 columns move by 1.1, 13 rows by 1.3: both ends lose what is behind the point.
        ((40, 20, 10, 12), 1.2, (38, 18, 52, 34)),
        # Outside the picture the ends are moved in, wherever they were.
        ((0, 0, 99, 99), 1.6, (0, 0, 100, 100)),
    ],
)
def test_the_published_rule_by_hand(
    bbox: tuple[float, float, float, float], scale: float, expected: tuple[int, int, int, int]
) -> None:
    assert cut_box(bbox, scale, 100, 100) == expected


@given(st.integers(0, 2**63), st.floats(1, 3))
@settings(deadline=None)
def test_the_published_rule_is_mmcvs_and_holds_the_mask(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((17, 23)) < rng.choice([0.004, 0.02, 0.2])
    box = cut_box(masks.box_of(mask), scale, *mask.shape)
    assert box == published_box(masks.box_of(mask), scale, *mask.shape)
    assert crop(mask, box).sum() == mask.sum()
    outer = scaled_box(masks.box_of(mask), scale, *mask.shape)
    assert np.abs(np.array(box) - outer).max() <= 1


@given(BOXES, st.floats(0, 10), SIDES, SIDES)
@settings(deadline=None)
def test_by_the_published_rule_too_no_box_is_empty_or_outside(
    bbox: tuple[float, float, float, float], scale: float, height: int, width: int
) -> None:
    left, top, right, bottom = cut_box(bbox, scale, height, width)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
