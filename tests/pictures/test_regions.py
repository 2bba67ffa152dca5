"""Cutting a picture around its masks: the same place in picture and mask, at every scale."""

import numpy as np
import pytest
from fakes import proposal

from ssa.pictures.regions import ManyRegions, Regions


@pytest.fixture
def regions() -> Regions:
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    masks = np.zeros((2, 60, 80), np.bool_)
    masks[0, 20:30, 30:50] = True
    masks[1, 0:4, 70:80] = True
    return Regions(image, [proposal(mask) for mask in masks])


@pytest.mark.parametrize(
    ("scale", "rows", "columns"),
    [(1.0, (20, 30), (30, 50)), (1.5, (17, 33), (25, 55)), (99.0, (0, 60), (0, 80))],
)
def test_crop_and_mask_show_the_same_place(
    regions: Regions, scale: float, rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    place = slice(*rows), slice(*columns)
    (crop,), (mask,) = regions.crops([0], scale), regions.masks([0], scale)
    assert np.array_equal(crop, regions.image[place])
    whole = np.zeros((60, 80), np.bool_)
    whole[20:30, 30:50] = True
    assert np.array_equal(mask, whole[place])


def test_regions_come_in_the_order_asked(regions: Regions) -> None:
    assert len(regions) == 2
    assert [crop.shape for crop in regions.crops([1, 0, 1], 1.0)] == [
        (4, 10, 3),
        (10, 20, 3),
        (4, 10, 3),
    ]
    assert [box for box, _ in regions.boxed_masks()] == [(30, 20, 50, 30), (70, 0, 80, 4)]
    assert all(mask.all() for _, mask in regions.boxed_masks())


def test_regions_of_many_pictures_are_those_of_each_in_a_row(regions: Regions) -> None:
    none = Regions(np.zeros((5, 5, 3), np.uint8), [])
    other = Regions(255 - regions.image, regions.proposals[::-1])
    many = ManyRegions([none, regions, none, other, none])
    assert (len(many), many.starts) == (4, (0, 0, 2, 2, 4))
    places = [(regions, 0), (regions, 1), (other, 0), (other, 1)]
    crops, masks = many.crops(range(4), 1.2), many.masks(range(4), 1.2)
    for (owner, index), crop, mask in zip(places, crops, masks, strict=True):
        assert np.array_equal(crop, owner.crops([index], 1.2)[0])
        assert np.array_equal(mask, owner.masks([index], 1.2)[0])
    assert crops.about_xyxy == [(30, 20, 50, 30), (70, 0, 80, 4), (70, 0, 80, 4), (30, 20, 50, 30)]
    assert crops[1:3].boxes_xyxy == [*regions.crops([1], 1.2).boxes_xyxy] * 2
    assert list(many.proposals) == [*regions.proposals, *other.proposals]


def test_regions_by_picture_are_stretches_in_the_order_asked(regions: Regions) -> None:
    none = Regions(np.zeros((5, 5, 3), np.uint8), [])
    other = Regions(255 - regions.image, regions.proposals[::-1])
    many = ManyRegions([none, regions, none, other, none])
    assert many.by_picture([3, 2, 0, 1, 2]) == [(other, [1, 0]), (regions, [0, 1]), (other, [0])]
    assert regions.by_picture([1, 0]) == [(regions, [1, 0])]
    assert many.by_picture([]) == regions.by_picture([]) == []


def test_what_is_made_of_a_picture_is_made_once(regions: Regions) -> None:
    made = [regions.once("corner", lambda image: image[0, 0]) for _ in range(2)]
    assert made[0] is made[1]
    assert np.array_equal(made[0], regions.image[0, 0])
