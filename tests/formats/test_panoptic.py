"""COCO panoptic, read back by the format's published rule: id = red + 256 × green + 65536 × blue."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from example_pictures import (
    categories_of,
    empty_example,
    example,
    example_pictures,
    examples,
    peak_of,
)
from hypothesis import given, settings
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco

from ssa.formats.categories import Categories
from ssa.formats.example import Example, label_of
from ssa.formats.panoptic import write_panoptic
from ssa.masks import run_lengths as masks
from ssa.types import BoolMask


def write(pictures: list[Example], folder: Path) -> dict[str, Any]:
    """The JSON of a run without faults."""
    assert write_panoptic(pictures, folder, categories_of(pictures)) == []
    return read_json(folder)


def read_json(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "panoptic.json").read_bytes())
    return found


def read_ids(folder: Path, row: dict[str, Any]) -> NDArray[np.int64]:
    with Image.open(folder / "png" / row["file_name"]) as picture:
        assert picture.mode == "RGB"
        red, green, blue = np.moveaxis(np.array(picture).astype(np.int64), 2, 0)
    return red + 256 * green + 65536 * blue


def visible(picture: Example) -> NDArray[np.int64]:
    """(H, W) position + 1 of the smallest mask on each pixel, painted one whole mask after the other."""
    ids = np.zeros((picture.height, picture.width), np.int64)
    found = [masks.decode(one.proposal.rle) for one in picture.annotations]
    for position in sorted(range(len(found)), key=lambda i: (-found[i].sum(), i)):
        ids[found[position]] = position + 1
    return ids


@given(examples())
@settings(max_examples=25)
def test_segments_are_the_visible_parts_of_the_masks(pictures: list[Example]) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data = write(pictures, folder)
        names = {one["id"]: one["name"] for one in data["categories"]}
        rows = zip(data["images"], data["annotations"], pictures, strict=True)
        for image_id, (image, row, picture) in enumerate(rows, start=1):
            assert image["id"] == row["image_id"] == image_id
            assert image["file_name"] == picture.key
            ids = read_ids(folder, row)
            assert ids.shape == (image["height"], image["width"])
            np.testing.assert_array_equal(ids, visible(picture))
            check_segments(row["segments_info"], ids, picture, names)


def check_segments(
    segments: list[dict[str, Any]],
    ids: NDArray[np.int64],
    picture: Example,
    names: dict[int, str],
) -> None:
    assert [one["id"] for one in segments] == np.unique(ids[ids > 0]).tolist()
    for one in segments:
        rle = coco.encode(np.asfortranarray(ids == one["id"], dtype=np.uint8))
        assert one["area"] == coco.area(rle)
        assert one["bbox"] == coco.toBbox(rle).tolist()
        assert one["iscrowd"] == 0
        assert names[one["category_id"]] == label_of(picture.annotations[one["id"] - 1])


def test_more_than_255_segments_use_the_next_colour(tmp_path: Path) -> None:
    pixels = np.eye(400, dtype=np.bool_).reshape(400, 20, 20)
    (row,) = write([example("a/b.jpg", list(pixels))], tmp_path)["annotations"]
    np.testing.assert_array_equal(read_ids(tmp_path, row), np.arange(1, 401).reshape(20, 20))


def test_a_mask_that_others_hide_is_no_segment(tmp_path: Path) -> None:
    left, right = halves()
    picture = example("a/b.jpg", [left | right, left, right], ["car", "door", "wheel"])
    data = write([picture], tmp_path)
    (row,) = data["annotations"]
    assert [one["id"] for one in row["segments_info"]] == [2, 3]
    assert [one["name"] for one in data["categories"]] == ["car", "door", "wheel"]


def halves() -> tuple[BoolMask, BoolMask]:
    left = np.zeros((4, 6), np.bool_)
    left[:, :3] = True
    return left, ~left


def test_a_picture_without_masks_is_black(tmp_path: Path) -> None:
    data = write([empty_example("a/b.jpg", 7, 5)], tmp_path)
    assert data["annotations"] == [{"image_id": 1, "file_name": "a/b.jpg.png", "segments_info": []}]
    assert read_ids(tmp_path, data["annotations"][0]).sum() == 0


def test_a_picture_with_given_masks_is_called_as_loaders_find_it(tmp_path: Path) -> None:
    data = write([Example("sa/sa_1", "sa_1.jpg", 4, 5, ())], tmp_path)
    assert data["images"][0]["file_name"] == "sa/sa_1.jpg"
    assert data["annotations"][0]["file_name"] == "sa/sa_1.png"


def test_every_category_is_a_thing_with_a_colour(tmp_path: Path) -> None:
    pictures = example_pictures()
    rows = write(pictures, tmp_path)["categories"]
    assert [(one["id"], one["name"]) for one in rows] == list(
        enumerate(categories_of(pictures).names, start=1)
    )
    assert all(one["isthing"] == 1 and len(one["color"]) == 3 for one in rows)
    # More categories later leave the colours of these.
    write_panoptic([], tmp_path, categories_of(pictures).extended(["one more"]))
    assert read_json(tmp_path)["categories"][:-1] == rows


def test_pictures_of_equal_names_keep_a_png_each(tmp_path: Path) -> None:
    left, _ = halves()
    keys = ("one/dog.jpg", "one/dog.png", "two/dog.jpg")
    data = write([example(key, [left]) for key in keys], tmp_path)
    assert len({row["file_name"] for row in data["annotations"]}) == 3
    assert sum(path.is_file() for path in (tmp_path / "png").rglob("*")) == 3


def test_a_picture_with_a_mask_of_another_size_is_left_out_and_told(tmp_path: Path) -> None:
    good = example_pictures()[0]
    bad = replace(good, key="photos/bad.jpg", width=good.width + 1)
    pictures = [good, bad, example_pictures()[2]]
    (fault,) = write_panoptic(pictures, tmp_path, categories_of(pictures))
    assert (fault.file, fault.step) == ("photos/bad.jpg", "panoptic")
    assert "expected masks of the picture's size, 60 × 81; got mask 0 of 60 × 80" in fault.message
    data = read_json(tmp_path)
    assert [one["file_name"] for one in data["images"]] == [pictures[0].key, pictures[2].key]
    assert [one["image_id"] for one in data["annotations"]] == [1, 2]
    assert not (tmp_path / "png/photos/bad.jpg.png").exists()


def test_a_folder_where_a_file_should_be_is_told(tmp_path: Path) -> None:
    left, _ = halves()
    pictures = [example(key, [left]) for key in ("a/b", "a/b.png/c", "a/d")]
    (fault,) = write_panoptic(pictures, tmp_path, categories_of(pictures))
    assert fault.file == "a/b.png/c"
    assert [one["file_name"] for one in read_json(tmp_path)["images"]] == ["a/b", "a/d"]


def test_equal_examples_give_equal_bytes(tmp_path: Path) -> None:
    pictures = example_pictures()
    for name in ("one", "two"):
        write(pictures, tmp_path / name)
    first, second = (files(tmp_path / name) for name in ("one", "two"))
    assert first == second
    assert len(first) == 1 + len(pictures)


def files(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_a_stream_that_breaks_leaves_no_json(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="unplugged"):
        write_panoptic(broken_stream(), tmp_path, Categories(["dog"]))
    assert list(files(tmp_path)) == ["png/a/b.jpg.png"]


def broken_stream() -> Iterator[Example]:
    yield example("a/b.jpg", [halves()[0]])
    raise OSError("unplugged")


def test_memory_does_not_grow_with_pictures(tmp_path: Path) -> None:
    peak_of(write_panoptic, 5, 3, tmp_path)  # what is loaded and cached once
    assert (
        peak_of(write_panoptic, 150, 3, tmp_path)
        < peak_of(write_panoptic, 5, 3, tmp_path) + 100_000
    )
