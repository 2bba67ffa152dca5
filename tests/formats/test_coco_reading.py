"""COCO's masks in every spelling, and files that are none."""

from __future__ import annotations

import copy
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from example_pictures import categories_of, examples
from hypothesis import given, settings
from pycocotools import mask as coco
from pycocotools.coco import COCO

from ssa.errors import InputError
from ssa.formats.coco import FILE, write_coco, write_coco_polygons
from ssa.formats.coco_reading import coco_file, is_coco, read_coco
from ssa.formats.example import Example, Exporter, label_of
from ssa.masks.run_lengths import decode, encode

pytestmark = pytest.mark.filterwarnings("ignore:__array__")

MASK = np.zeros((4, 6), np.bool_)
MASK[1:3, 2:5] = True
RUNS = [9, 2, 2, 2, 2, 2, 5]
FILE_BY_HAND: dict[str, Any] = {
    "images": [{"id": 7, "file_name": "a.jpg", "height": 4, "width": 6}],
    "categories": [{"id": 3, "name": "cat"}],
    "annotations": [
        {
            "id": 11,
            "image_id": 7,
            "category_id": 3,
            "segmentation": {"size": [4, 6], "counts": RUNS},
            "score": 0.5,
        }
    ],
}


def changed(path: str, value: Any) -> dict[str, Any]:
    file = copy.deepcopy(FILE_BY_HAND)
    *within, last = path.split(".")
    at: Any = file
    for part in within:
        at = at[0] if part == "0" else at[part]
    at[last] = value
    return file


@pytest.mark.parametrize(
    "segmentation",
    [
        {"size": [4, 6], "counts": RUNS},
        {"size": [4, 6], "counts": encode(MASK).counts},
        [[2, 1, 5, 1, 5, 3, 2, 3]],
        [[2, 1, 4, 1, 4, 3, 2, 3], [3.0, 1.0, 5.0, 1.0, 5.0, 3.0, 3.0, 3.0]],
    ],
)
def test_a_mask_in_any_spelling_is_the_mask(segmentation: Any) -> None:
    (picture,) = read_coco(changed("annotations.0.segmentation", segmentation)).pictures
    (region,) = picture.regions
    np.testing.assert_array_equal(decode(region.mask), MASK)
    assert (picture.name, picture.size_hw) == ("a.jpg", (4, 6))
    assert (region.label, region.number, region.score, region.region) == ("cat", 11, 0.5, None)


@pytest.mark.parametrize("write", [write_coco, write_coco_polygons])
@given(pictures=examples())
@settings(max_examples=25)
def test_what_was_written_comes_back(write: Exporter, pictures: list[Example]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert write(pictures, Path(folder), categories_of(pictures)) == []
        data = (Path(folder) / FILE).read_bytes()
        loaded = COCO(str(Path(folder) / FILE))
    found = coco_file(data)
    assert [one.name for one in found.pictures] == [one.picture_name for one in pictures]
    for picture, example in zip(found.pictures, pictures, strict=True):
        assert picture.size_hw == (example.height, example.width)
        for i, (region, own) in enumerate(zip(picture.regions, example.annotations, strict=True)):
            np.testing.assert_array_equal(decode(region.mask), decode(own.proposal.rle))
            assert region.label == label_of(own)
            assert region.region == str(i)
            theirs = loaded.annToRLE(loaded.anns[region.number])
            assert (coco.decode(theirs) == decode(region.mask)).all()


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("annotations.0.segmentation", [], "segmentation"),
        ("annotations.0.segmentation", None, "segmentation"),
        ("annotations.0.segmentation", [[1, 1, 2, 2]], "segmentation"),
        ("annotations.0.segmentation", [[1, 1, 2, 2, 1e9, 3]], "segmentation"),
        ("annotations.0.segmentation", {"size": [6, 4], "counts": RUNS}, "size"),
        ("annotations.0.segmentation", {"size": [4, 6], "counts": [1]}, "runs cover 1 pixels"),
        ("annotations.0.segmentation", {"size": [4, 6], "counts": [-4, 28]}, "-4 pixels long"),
        ("annotations.0.segmentation", {"size": [4, 6], "counts": "nonsense"}, "counts"),
        ("annotations.0.category_id", 4, "a category that the file lists; got 4 in annotation 11"),
        ("annotations.0.score", "high", "score"),
    ],
)
def test_a_picture_with_a_region_that_can_not_be_read_is_left_out(
    path: str, value: Any, why: str
) -> None:
    found = read_coco(changed(path, value))
    assert found.pictures == ()
    (fault,) = found.faults
    assert fault.file == "a.jpg"
    assert why in fault.message


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("images", None, "images"),
        ("images.0.height", 0, "height"),
        ("images.0.width", 1 << 20, "width"),
        ("images.0.file_name", 5, "file_name"),
        ("categories", {}, "categories"),
        ("annotations.0.image_id", "7", "image_id"),
    ],
)
def test_what_is_no_coco_file_is_refused_by_the_field(path: str, value: Any, field: str) -> None:
    with pytest.raises(InputError, match=f"sound '{field}'"):
        read_coco(changed(path, value))


def test_a_blank_name_is_none() -> None:
    (picture,) = read_coco(changed("categories.0.name", " ")).pictures
    assert picture.regions[0].label is None


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(InputError, match="got no JSON"):
        coco_file(b"{")
    assert coco_file(json.dumps(FILE_BY_HAND).encode()).pictures
    assert is_coco(FILE_BY_HAND)
    assert not is_coco([FILE_BY_HAND])
    assert not is_coco({"annotations": []})
