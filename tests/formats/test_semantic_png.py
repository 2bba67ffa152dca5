"""Semantic maps, read back as training code reads ADE20K, and by this project's own reader of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from example_pictures import (
    categories_of,
    empty_example,
    example,
    example_pictures,
    examples,
    many_examples,
)
from hypothesis import given, settings
from numpy.typing import NDArray
from PIL import Image
from transformers import SegformerImageProcessor

from evaluation.datasets import DATASETS
from ssa.errors import InputError
from ssa.formats.categories import Categories
from ssa.formats.example import Example, label_of
from ssa.formats.semantic_png import write_semantic_png
from ssa.masks import run_lengths as masks


def read_png(path: Path) -> tuple[str, NDArray[np.int64]]:
    with Image.open(path) as picture:
        return picture.mode, np.array(picture).astype(np.int64)


def category_ids(picture: Example, categories: Categories) -> NDArray[np.int64]:
    """(H, W) the category of the smallest mask, painted one whole mask after the other; 0 for none."""
    ids = np.zeros((picture.height, picture.width), np.int64)
    found = [(masks.decode(one.proposal.rle), label_of(one)) for one in picture.annotations]
    for mask, label in sorted(found, key=lambda one: -one[0].sum()):
        ids[mask] = categories.id_of(label)
    return ids


@given(examples())
@settings(max_examples=25)
def test_a_pixel_has_the_category_of_the_smallest_mask(pictures: list[Example]) -> None:
    categories = categories_of(pictures)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        assert write_semantic_png(pictures, folder, categories) == []
        assert sum(path.is_file() for path in folder.rglob("*")) == len(pictures)
        for picture in pictures:
            mode, ids = read_png(folder / f"{picture.key}.png")
            assert mode == "P"
            np.testing.assert_array_equal(ids, category_ids(picture, categories))


@pytest.mark.parametrize(
    ("count", "mode"), [(1, "P"), (255, "P"), (256, "I;16"), (40_000, "I;16"), (65_535, "I;16")]
)
def test_more_categories_take_16_bits(tmp_path: Path, count: int, mode: str) -> None:
    categories = Categories([f"kind {number}" for number in range(1, count + 1)])
    mask = np.eye(5, dtype=np.bool_)
    write_semantic_png([example("a/b", [mask], [f"kind {count}"])], tmp_path, categories)
    read_mode, ids = read_png(tmp_path / "a/b.png")
    assert read_mode == mode
    np.testing.assert_array_equal(ids, mask * count)


def test_too_many_categories_are_refused(tmp_path: Path) -> None:
    categories = Categories([str(number) for number in range(65_536)])
    with pytest.raises(InputError, match=r"up to 65,535 categories .* got 65,536"):
        write_semantic_png([], tmp_path, categories)


def test_transformers_reads_them_as_ade20k(tmp_path: Path) -> None:
    picture = example_pictures()[0]
    categories = categories_of([picture])
    write_semantic_png([picture], tmp_path, categories)
    with Image.open(tmp_path / f"{picture.key}.png") as truth:
        pixels = np.zeros((picture.height, picture.width, 3), np.uint8)
        processor = SegformerImageProcessor(do_resize=False, do_reduce_labels=True)
        labels = processor(pixels, truth, return_tensors="np")["labels"][0]
    ids = category_ids(picture, categories)
    np.testing.assert_array_equal(labels, np.where(ids == 0, 255, ids - 1))
    assert len(np.unique(labels)) == 4


def test_they_are_found_and_read_by_the_evaluation(tmp_path: Path) -> None:
    picture = replace(example_pictures()[0], key="validation/sa_1")
    categories = categories_of([picture])
    write_semantic_png([picture], tmp_path / "truths", categories)
    photo = tmp_path / "images/validation/sa_1.jpg"
    photo.parent.mkdir(parents=True)
    Image.new("RGB", (picture.width, picture.height)).save(photo)
    (sample,) = DATASETS["ade20k"].find(tmp_path / "images", tmp_path / "truths")
    ids = category_ids(picture, categories)
    np.testing.assert_array_equal(sample.read()[1], np.where(ids == 0, 255, ids - 1))


def test_a_picture_without_masks_is_all_zero(tmp_path: Path) -> None:
    write_semantic_png([empty_example("a/b.jpg", 7, 5)], tmp_path, Categories())
    np.testing.assert_array_equal(read_png(tmp_path / "a/b.jpg.png")[1], np.zeros((7, 5)))


def test_a_picture_with_a_mask_of_another_size_is_left_out_and_told(tmp_path: Path) -> None:
    good = example_pictures()[0]
    bad = replace(good, key="photos/bad.jpg", height=good.height - 1)
    (fault,) = write_semantic_png([good, bad], tmp_path, categories_of([good]))
    assert (fault.file, fault.step) == ("photos/bad.jpg", "semantic-png")
    assert [path.name for path in tmp_path.rglob("*.png")] == ["a street.jpg.png"]


def test_equal_examples_give_equal_bytes(tmp_path: Path) -> None:
    pictures = example_pictures()
    for name in ("one", "two"):
        write_semantic_png(pictures, tmp_path / name, categories_of(pictures))
    for picture in pictures:
        first, second = (
            (tmp_path / name / f"{picture.key}.png").read_bytes() for name in ("one", "two")
        )
        assert first == second


def test_the_stream_is_consumed_one_by_one(tmp_path: Path) -> None:
    written_before = []

    def watched(count: int) -> Iterator[Example]:
        for number, picture in enumerate(many_examples(count, 1)):
            written_before.append(sum(path.is_file() for path in tmp_path.rglob("*")) == number)
            yield picture

    write_semantic_png(watched(5), tmp_path, Categories(["dog"]))
    assert written_before == [True] * 5
