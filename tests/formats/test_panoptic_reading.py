from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from example_pictures import categories_of, example_pictures
from PIL import Image

from ssa.errors import InputError
from ssa.formats.example import label_of
from ssa.formats.panoptic import write_panoptic
from ssa.formats.panoptic_reading import is_panoptic, pictures_beside, read_panoptic
from ssa.masks.painting import paint
from ssa.masks.run_lengths import decode

FILE: dict[str, Any] = {
    "images": [{"id": 5, "file_name": "a.jpg", "height": 1, "width": 3}],
    "categories": [{"id": 1, "name": "cat"}],
    "annotations": [
        {
            "image_id": 5,
            "file_name": "a.png",
            "segments_info": [
                {"id": 1 + 256 * 2 + 65536 * 3, "category_id": 1},
                {"id": 7, "category_id": 1, "iscrowd": 1},
                {"id": 9, "category_id": 1},
            ],
        }
    ],
}


def test_ids_are_three_bytes_and_crowds_no_segments(tmp_path: Path) -> None:
    colours = np.array([[[1, 2, 3], [7, 0, 0], [0, 0, 0]]], np.uint8)
    Image.fromarray(colours).save(tmp_path / "a.png")
    (picture,) = read_panoptic(FILE, tmp_path)
    assert picture.name == "a.jpg"
    size, segments = picture.read()
    assert size == (1, 3)
    ((mask, label),) = segments  # the one without a pixel is none
    assert (label, decode(mask).tolist()) == ("cat", [[True, False, False]])


def test_it_reads_what_we_write(tmp_path: Path) -> None:
    examples = example_pictures()
    write_panoptic(examples, tmp_path, categories_of(examples))
    path = tmp_path / "panoptic.json"
    payload = json.loads(path.read_bytes())
    assert is_panoptic(payload)
    found = read_panoptic(payload, pictures_beside(path))
    assert [one.name for one in found] == [one.picture_name for one in examples]
    for example, picture in zip(examples, found, strict=True):
        size, segments = picture.read()
        assert size == (example.height, example.width)
        masks = [one.proposal.rle for one in example.annotations]
        owners = paint(masks, *size)
        there = [place for place in range(len(masks)) if (owners == place).any()]
        assert [label for _, label in segments] == [
            label_of(example.annotations[place]) for place in there
        ]
        for place, (mask, _) in zip(there, segments, strict=True):
            assert (decode(mask) == (owners == place)).all()


def test_pngs_lie_in_a_folder_of_the_files_name_or_in_png(tmp_path: Path) -> None:
    path = tmp_path / "panoptic_val.json"
    assert pictures_beside(path) == tmp_path / "png"
    (tmp_path / "panoptic_val").mkdir()
    assert pictures_beside(path) == tmp_path / "panoptic_val"


@pytest.mark.parametrize("name", ["../a.png", "/etc/a.png"])
def test_a_file_names_nothing_outside_its_folder(tmp_path: Path, name: str) -> None:
    row = {**FILE["annotations"][0], "file_name": name}
    with pytest.raises(InputError, match="file_name"):
        read_panoptic({**FILE, "annotations": [row]}, tmp_path)


@pytest.mark.parametrize("lacking", ["images", "categories"])
def test_what_is_damaged_is_told(tmp_path: Path, lacking: str) -> None:
    with pytest.raises(InputError, match="panoptic"):
        read_panoptic({**FILE, lacking: []}, tmp_path)
    with pytest.raises(InputError, match="panoptic"):
        read_panoptic({**FILE, lacking: 3}, tmp_path)


def test_a_missing_png_is_told_when_it_is_read(tmp_path: Path) -> None:
    (picture,) = read_panoptic(FILE, tmp_path)
    with pytest.raises(InputError, match=r"a\.png"):
        picture.read()


@pytest.mark.parametrize("payload", [[], {}, {"annotations": []}, {"annotations": [{"id": 1}]}, 3])
def test_other_json_is_none(payload: object) -> None:
    assert not is_panoptic(payload)
