"""YOLO segmentation, read by supervision and by a plain reader as its trainers have one."""

from __future__ import annotations

import tempfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import supervision as sv
from example_pictures import (
    categories_of,
    disc,
    empty_example,
    example,
    example_pictures,
    examples,
    many_examples,
    ring,
)
from hypothesis import example as example_of
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ssa.formats.categories import Categories
from ssa.formats.example import Example, label_of
from ssa.formats.yolo import write_yolo
from ssa.masks.run_lengths import decode
from ssa.types import Annotation, BoolMask


def written(pictures: list[Example], folder: Path) -> None:
    assert write_yolo(pictures, folder, categories_of(pictures)) == []


def plainly_read(text: str, height: int, width: int) -> list[tuple[int, BoolMask]]:
    """Class and mask of each line: points cut to whole pixels and painted."""
    found = []
    for line in text.splitlines():
        number, *shares = line.split()
        points = np.array(shares, dtype=np.float64).reshape(-1, 2) * [width, height]
        assert ((points >= 0) & (points <= [width, height])).all()
        canvas = np.zeros((height, width), dtype=np.uint8)
        cv2.fillPoly(canvas, [points.astype(np.int32)], 1)
        found.append((int(number), canvas.astype(np.bool_)))
    return found


def in_one_part(annotation: Annotation) -> bool:
    mask = decode(annotation.proposal.rle).astype(np.uint8)
    return cv2.connectedComponents(mask, connectivity=4)[0] == 2


def iou(one: BoolMask, other: BoolMask) -> float:
    return float((one & other).sum() / (one | other).sum())


@given(examples())
@settings(max_examples=25)
def test_a_plain_reader_finds_every_mask_in_one_part_to_the_pixel(pictures: list[Example]) -> None:
    categories = categories_of(pictures)
    with tempfile.TemporaryDirectory() as folder:
        written(pictures, Path(folder))
        texts = [
            (Path(folder) / "labels" / one.key).with_suffix(".txt").read_text() for one in pictures
        ]
    for picture, text in zip(pictures, texts, strict=True):
        there = [one for one in picture.annotations if one.proposal.area_px]
        found = plainly_read(text, picture.height, picture.width)
        assert len(found) == len(there)
        for (class_id, mask), annotation in zip(found, there, strict=True):
            assert categories.names[class_id] == label_of(annotation)
            truth = decode(annotation.proposal.rle)
            assert (mask | ~truth).all()
            if in_one_part(annotation):
                np.testing.assert_array_equal(mask, truth)


def test_supervision_reads_masks_and_names(tmp_path: Path) -> None:
    height, width = 120, 170
    parts = disc(height, width, 40, 40, 25) | disc(height, width, 120, 80, 30)
    masks = [ring(height, width, 80, 60, 50), disc(height, width, 0, 119, 40), parts]
    pictures = [example("dog.jpg", masks, ["ring", "虎", "a: b"]), empty_example("none.png")]
    images = tmp_path / "images"
    images.mkdir()
    for picture in pictures:
        Image.new("RGB", (picture.width, picture.height)).save(images / picture.key)
    written(pictures, tmp_path)
    dataset = sv.DetectionDataset.from_yolo(
        str(images), str(tmp_path / "labels"), str(tmp_path / "data.yaml")
    )
    assert dataset.classes == ["ring", "虎", "a: b"]
    assert len(dataset.annotations[str(images / "none.png")]) == 0
    found = dataset.annotations[str(images / "dog.jpg")]
    assert found.class_id.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(found.mask[:2], masks[:2])
    assert iou(found.mask[2], parts) > 0.98


def keyed(*keys: str) -> list[Example]:
    """Pictures of growing masks, so that their files differ."""
    masks = [np.ones((9, 9 + number), dtype=np.bool_) for number in range(len(keys))]
    return [example(key, [mask]) for key, mask in zip(sorted(keys), masks, strict=True)]


def test_of_two_pictures_for_one_file_the_second_is_left_out(tmp_path: Path) -> None:
    # In order: dog.jpg, dog.m.jpg, dog.png; what comes between must not make it forget.
    pictures = keyed("a/dog.jpg", "a/dog.m.jpg", "a/dog.png", "a/dog/dog.jpg", "b/dog.png")
    (fault,) = write_yolo(pictures, tmp_path, Categories(["dog"]))
    assert (fault.file, fault.step) == ("a/dog.png", "yolo")
    assert "a/dog.jpg" in fault.message
    assert "rename" in fault.message
    kept = write_text_alone(pictures[0], tmp_path / "alone")
    assert (tmp_path / "labels/a/dog.txt").read_text() == kept
    labels = tmp_path / "labels"
    names = {str(path.relative_to(labels)) for path in labels.rglob("*.txt")}
    assert names == {"a/dog.txt", "a/dog.m.txt", "a/dog/dog.txt", "b/dog.txt"}


def test_pictures_with_given_masks_lose_no_more_than_their_suffix(tmp_path: Path) -> None:
    pictures = [
        Example(f"sa/{stem}", f"{stem}.jpg", 9, 9, ()) for stem in ("frame.000", "frame.001", "x")
    ]
    written(pictures, tmp_path)
    names = {path.name for path in (tmp_path / "labels/sa").iterdir()}
    assert names == {"frame.000.txt", "frame.001.txt", "x.txt"}


def test_a_picture_with_given_masks_and_one_without_may_want_one_file(tmp_path: Path) -> None:
    """The first picture's key is what both have in common, and others may come between."""
    first = Example("sa/x", "x.jpg", 9, 9, ())
    between = Example("sa/x-1.jpg", "x-1.jpg", 9, 9, ())
    last = Example("sa/x.jpg", "x.jpg", 9, 9, ())
    (fault,) = write_yolo([first, between, last], tmp_path, Categories())
    assert fault.file == "sa/x.jpg"
    assert "one picture for labels/sa/x.txt; got sa/x before" in fault.message


def write_text_alone(picture: Example, folder: Path) -> str:
    written([picture], folder)
    return (folder / "labels" / picture.key).with_suffix(".txt").read_text()


@given(
    st.lists(
        st.from_regex(r"[a-b.\-/]{0,3}[ab](\.[ab]{1,2})?", fullmatch=True), max_size=8, unique=True
    )
)
@example_of(["..a", "..aa"])
@settings(max_examples=60)
def test_what_is_forgotten_is_never_wanted(keys: list[str]) -> None:
    """Against a plain version that remembers all."""
    safe = sorted(key for key in keys if all(part.strip(".") for part in key.split("/")))
    taken: set[str] = set()
    left_out = []
    for key in safe:
        name, dot, _ = key.rpartition("/")[2].rpartition(".")
        stem = key[: -len(key.rpartition(".")[2]) - 1] if dot and name else key
        if stem in taken:
            left_out.append(key)
        taken.add(stem)
    with tempfile.TemporaryDirectory() as folder:
        pictures = [empty_example(key) for key in safe]
        faults = write_yolo(pictures, Path(folder), Categories())
    told = [fault.file for fault in faults if "rename" in fault.message]
    assert told == left_out


def test_keys_out_of_order_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="in order"):
        write_yolo(keyed("a.jpg", "b.jpg")[::-1], tmp_path, Categories(["dog"]))


def test_the_same_examples_give_the_same_bytes(tmp_path: Path) -> None:
    contents = []
    for folder in (tmp_path / "once", tmp_path / "again"):
        written(example_pictures(), folder)
        contents.append(
            {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}
        )
    assert contents[0] == contents[1]
    assert Path("labels/photos/nothing.txt") in contents[0]


def test_an_empty_mask_has_no_line(tmp_path: Path) -> None:
    masks = [np.zeros((4, 4), dtype=np.bool_), np.ones((4, 4), dtype=np.bool_)]
    written([example("a.jpg", masks)], tmp_path)
    assert len((tmp_path / "labels/a.txt").read_text().splitlines()) == 1


def test_examples_are_taken_one_by_one(tmp_path: Path) -> None:
    """When the next is asked for, the one before is on the disk."""

    def watched() -> list[Example]:
        for picture in many_examples(5, 2):
            yield picture
            assert (tmp_path / "labels" / picture.key).with_suffix(".txt").is_file()

    assert write_yolo(watched(), tmp_path, Categories(["dog"])) == []
