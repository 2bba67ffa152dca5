"""Masks of one COCO file, picture by picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ssa.errors import Fault, InputError
from ssa.formats.coco_reading import read_coco
from ssa.formats.foreign import ForeignFile
from ssa.formats.sa1b_files import parse_masks
from ssa.masks.run_lengths import decode
from ssa.sources import Item, find_items
from ssa.sources.coco_masks import read_masks, with_coco_masks
from tests.sources.made_up import keys, make_folder

SQUARE = [1, 1, 3, 1, 3, 3, 1, 3]


def file_of(*names: str, **more: Any) -> dict[str, Any]:
    """Pictures of 4 × 6 with a square each, called 11, 12, ... there."""
    return {
        "images": [
            {"id": i, "file_name": name, "height": 4, "width": 6} for i, name in enumerate(names)
        ],
        "categories": [{"id": 1, "name": "thing"}],
        "annotations": [
            {"id": 11 + i, "image_id": i, "category_id": 1, "segmentation": [SQUARE], "score": 0.5, **more}
            for i in range(len(names))
        ],
    }  # fmt: skip


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return make_folder(
        tmp_path / "photos", {"dog.jpg": b"", "x/cat.jpg": b"", "y/cat.jpg": b"", "dog.json": b"{}"}
    )


def paired(photos: Path, file: ForeignFile) -> tuple[list[Item], list[Fault]]:
    out = photos.with_name("out")
    found = list(with_coco_masks(find_items([photos], "sam", out), file, out / "given"))
    items = [one for one in found if isinstance(one, Item)]
    return items, [one for one in found if isinstance(one, Fault)]


def test_each_picture_gets_the_masks_that_are_its_own(photos: Path) -> None:
    items, faults = paired(photos, read_coco(file_of("dog.jpg", "train/x/cat.jpg", "y/cat.jpg")))
    assert faults == []
    assert keys(items) == ["photos/dog.jpg", "photos/x/cat.jpg", "photos/y/cat.jpg"]
    for number, item in enumerate(items):
        assert item.masks is not None
        given = parse_masks(item.masks.read())
        assert given.stated_size_hw == (4, 6)
        (proposal,) = given.proposals
        square = np.zeros((4, 6), np.bool_)
        square[1:3, 1:3] = True
        np.testing.assert_array_equal(decode(proposal.rle), square)
        assert (proposal.area_px, proposal.bbox_xywh, proposal.predicted_iou) == (
            4,
            (1, 1, 1, 1),
            0.5,
        )
        assert given.document["annotations"][0]["id"] == 11 + number


def test_the_same_file_leaves_what_is_written_alone(photos: Path) -> None:
    first = paired(photos, read_coco(file_of("dog.jpg")))
    path = photos.with_name("out") / "given" / "photos/dog.jpg.json"
    before = path.stat().st_mtime_ns
    assert paired(photos, read_coco(file_of("dog.jpg"))) == first
    assert path.stat().st_mtime_ns == before
    paired(photos, read_coco(file_of("dog.jpg", score=0.75)))
    assert json.loads(path.read_bytes())["annotations"][0]["predicted_iou"] == 0.75


def test_what_has_no_partner_is_told(photos: Path) -> None:
    file = read_coco(file_of("dog.jpg", "cat.jpg", "bird.jpg", "broken.jpg"))
    broken = ForeignFile(file.pictures[:3], (Fault("broken.jpg", "read", "odd"),))
    items, faults = paired(photos, broken)
    assert keys(items) == ["photos/dog.jpg", "photos/x/cat.jpg"]
    assert [(one.file, one.message.partition(";")[0]) for one in faults] == [
        ("photos/y/cat.jpg", "expected one picture for cat.jpg"),
        ("broken.jpg", "odd"),
        ("bird.jpg", "expected a picture for its masks"),
    ]
    assert paired(photos, read_coco(file_of("x/cat.jpg")))[1][0].file == "photos/dog.jpg"


def test_a_picture_without_regions_has_none(photos: Path) -> None:
    file = {**file_of("dog.jpg"), "annotations": []}
    (item,), _ = paired(photos, read_coco(file))
    assert item.masks is not None
    assert parse_masks(item.masks.read()).proposals == ()


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--masks must be given, sam, .*No such file"):
        read_masks(tmp_path / "gone.json")
    (tmp_path / "file.json").write_text(json.dumps(file_of("a.jpg")))
    assert read_masks(tmp_path / "file.json").pictures[0].name == "a.jpg"
