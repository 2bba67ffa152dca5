"""COCO instances, read by pycocotools and supervision."""

from __future__ import annotations

import json
import tempfile
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import supervision as sv
from example_pictures import (
    categories_of,
    empty_example,
    example,
    example_pictures,
    examples,
    many_examples,
)
from hypothesis import given, settings
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from ssa.formats.categories import Categories
from ssa.formats.coco import FILE, write_coco, write_coco_polygons
from ssa.formats.example import Example, Exporter, label_of
from ssa.masks.run_lengths import decode

BOTH = pytest.mark.parametrize("write", [write_coco, write_coco_polygons])

# pycocotools 2.0.11 with numpy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array__")


def written(write: Exporter, pictures: list[Example], folder: Path) -> Path:
    assert write(pictures, folder, categories_of(pictures)) == []
    return folder / FILE


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_bytes())
    return content


@BOTH
@given(pictures=examples())
@settings(max_examples=25)
def test_pycocotools_reads_every_mask_and_name_back(
    write: Exporter, pictures: list[Example]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        loaded = COCO(str(written(write, pictures, Path(folder))))
    assert [image["file_name"] for image in loaded.imgs.values()] == [one.key for one in pictures]
    for image_id, picture in enumerate(pictures, start=1):
        image = loaded.imgs[image_id]
        assert (image["height"], image["width"]) == (picture.height, picture.width)
        found = loaded.loadAnns(loaded.getAnnIds(imgIds=image_id))
        assert len(found) == len(picture.annotations)
        for row, annotation in zip(found, picture.annotations, strict=True):
            mask = decode(annotation.proposal.rle)
            np.testing.assert_array_equal(loaded.annToMask(row), mask)
            assert loaded.cats[row["category_id"]]["name"] == label_of(annotation)
            assert (
                row["bbox"]
                == coco_mask.toBbox(coco_mask.encode(np.asfortranarray(mask, "u1"))).tolist()
            )
            assert row["area"] == mask.sum()


@BOTH
def test_numbers_run_from_one_over_all_pictures(write: Exporter, tmp_path: Path) -> None:
    content = read(written(write, example_pictures(), tmp_path))
    assert [image["id"] for image in content["images"]] == [1, 2, 3, 4]
    assert [row["id"] for row in content["annotations"]] == list(range(1, 9))
    assert [row["image_id"] for row in content["annotations"]] == [1, 1, 1, 3, 3, 4, 4, 4]
    assert [row["id"] for row in content["categories"]] == list(range(1, 8))
    assert all(row["iscrowd"] == 0 for row in content["annotations"])


@BOTH
def test_against_itself_it_scores_full_marks(write: Exporter, tmp_path: Path) -> None:
    truth = COCO(str(written(write, example_pictures(), tmp_path)))
    results = truth.loadRes(
        [{**row, "score": row["predicted_iou"]} for row in truth.dataset["annotations"]]
    )
    judge = COCOeval(truth, results, "segm")
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    assert judge.stats[0] == pytest.approx(1.0)


def test_supervision_reads_the_same_masks(tmp_path: Path) -> None:
    pictures = example_pictures()
    for picture in pictures:
        path = tmp_path / "images" / picture.key
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (picture.width, picture.height)).save(path)
    dataset = sv.DetectionDataset.from_coco(
        str(tmp_path / "images"), str(written(write_coco, pictures, tmp_path)), force_masks=True
    )
    assert dataset.classes == list(categories_of(pictures).names)
    for picture in pictures:
        found = dataset.annotations[str(tmp_path / "images" / picture.key)]
        assert len(found) == len(picture.annotations)
        masks = [decode(annotation.proposal.rle) for annotation in picture.annotations]
        np.testing.assert_array_equal(found.mask if len(found) else [], masks)


def test_what_the_models_said_is_kept(tmp_path: Path) -> None:
    first, *_ = read(written(write_coco, example_pictures(), tmp_path))["annotations"]
    assert first["predicted_iou"] == 0.9
    assert first["stability_score"] == 0.95
    assert first["class_proposals"] == ["ring", "thing"]
    bare = read(written(write_coco, [example_pictures()[2]], tmp_path))["annotations"][0]
    assert "class_proposals" not in bare
    assert "confidence" not in first


def test_a_confidence_is_kept(tmp_path: Path) -> None:
    picture, *_ = example_pictures()
    sure = tuple(replace(one, confidence=0.75) for one in picture.annotations)
    found = read(written(write_coco, [replace(picture, annotations=sure)], tmp_path))
    assert {one["confidence"] for one in found["annotations"]} == {0.75}


def test_polygons_are_polygons_and_an_empty_mask_is_not(tmp_path: Path) -> None:
    full, nothing = np.ones((4, 5), dtype=np.bool_), np.zeros((4, 5), dtype=np.bool_)
    path = written(write_coco_polygons, [example("a/b.jpg", [full, nothing])], tmp_path)
    shown, empty = read(path)["annotations"]
    assert sorted(shown["segmentation"][0]) == sorted([0, 0, 5, 0, 5, 4, 0, 4])
    assert empty["segmentation"]["size"] == [4, 5]
    assert (empty["area"], empty["bbox"]) == (0, [0, 0, 0, 0])


def test_a_picture_with_a_mask_of_another_size_is_left_out_whole(tmp_path: Path) -> None:
    mask = np.ones((4, 5), dtype=np.bool_)
    wrong = example("b.jpg", [mask, mask.T])
    faults = write_coco([example("a.jpg", [mask]), wrong], tmp_path, Categories(["dog"]))
    assert [(fault.file, fault.step) for fault in faults] == [("b.jpg", "coco")]
    content = read(tmp_path / FILE)
    assert [image["file_name"] for image in content["images"]] == ["a.jpg"]
    assert len(content["annotations"]) == 1


@BOTH
def test_a_picture_is_called_as_loaders_find_it(write: Exporter, tmp_path: Path) -> None:
    given_masks = Example("sa/sa_1", "sa_1.jpg", 4, 5, ())
    content = read(written(write, [given_masks, empty_example("sa/sa_2.jpg")], tmp_path))
    assert [image["file_name"] for image in content["images"]] == ["sa/sa_1.jpg", "sa/sa_2.jpg"]


@BOTH
def test_no_pictures_and_no_masks_are_valid_files(write: Exporter, tmp_path: Path) -> None:
    for pictures in ([], [empty_example("a.jpg"), empty_example("b.jpg")]):
        loaded = COCO(str(written(write, pictures, tmp_path)))
        assert len(loaded.imgs) == len(pictures)
        assert loaded.anns == {}


@BOTH
def test_the_same_examples_give_the_same_bytes(write: Exporter, tmp_path: Path) -> None:
    once = written(write, example_pictures(), tmp_path / "once").read_bytes()
    assert written(write, example_pictures(), tmp_path / "again").read_bytes() == once


def test_memory_does_not_grow_with_the_pictures(tmp_path: Path) -> None:
    def peak(pictures: int) -> int:
        return peak_of(
            lambda: write_coco(many_examples(pictures, 20), tmp_path, Categories(["dog"]))
        )

    peak(1)  # What is loaded at the first use stays out of it.
    few, many = peak(50), peak(500)
    assert len(read(tmp_path / FILE)["annotations"]) == 10_000
    assert many < few + 200_000


def peak_of(work: Callable[[], object]) -> int:
    """The most bytes that Python and numpy held for it at once."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
