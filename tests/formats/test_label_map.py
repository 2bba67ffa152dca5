"""Label maps as files, read back by Pillow and pycocotools."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco

from ssa.drawing.colours import hexadecimal, label_colour
from ssa.formats.label_map import class_records, dumps, encode_png
from ssa.types import LabelMap


def label_map(ids: object, classes: int = 150) -> LabelMap:
    labels = tuple(f"class {i}" for i in range(classes))
    return LabelMap("ade20k", np.array(ids, dtype=np.int16), labels)


def noise(seed: int, classes: int) -> LabelMap:
    rng = np.random.default_rng(seed)
    return label_map(rng.integers(0, classes, rng.integers(1, 40, 2)), classes)


def read_png(data: bytes) -> tuple[str, NDArray[np.int64]]:
    with Image.open(io.BytesIO(data)) as picture:
        return picture.mode, np.array(picture).astype(np.int64)


@pytest.mark.parametrize(("classes", "mode"), [(2, "P"), (256, "P"), (257, "I;16"), (9000, "I;16")])
@given(seed=st.integers(0, 2**63))
@settings(max_examples=10)
def test_a_png_holds_the_ids(classes: int, mode: str, seed: int) -> None:
    found = noise(seed, classes)
    read_mode, ids = read_png(encode_png(found))
    assert read_mode == mode
    np.testing.assert_array_equal(ids, found.class_ids)


@pytest.mark.parametrize("ids", [[[-1, 0]], [[0, 150]]])
def test_ids_without_a_label_are_refused(ids: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="expected class ids from 0 to 149"):
        encode_png(label_map(ids))


@given(st.integers(0, 2**63))
@settings(max_examples=20)
def test_records_put_the_map_together_again(seed: int) -> None:
    found = noise(seed, 12)
    again = np.full(found.class_ids.shape, -1, np.int16)
    records = json.loads(dumps(found))
    for record in records:
        mask = coco.decode(record["segmentation"]).astype(bool)
        assert (again[mask] == -1).all()
        again[mask] = record["class_id"]
        assert record["class_name"] == found.labels[record["class_id"]]
        assert record["area"] == mask.sum()
    np.testing.assert_array_equal(again, found.class_ids)
    assert [one["class_id"] for one in records] == np.unique(found.class_ids).tolist()


def test_a_record_by_hand() -> None:
    assert class_records(label_map([[3, 3, 7], [3, 7, 7]]))[0] == {
        "class_id": 3,
        "class_name": "class 3",
        "color": hexadecimal(label_colour("class 3")),
        "area": 3,
        "bbox": [0, 0, 1, 1],
        "segmentation": {"size": [2, 3], "counts": counts([[1, 1, 0], [1, 0, 0]])},
    }


def counts(rows: list[list[int]]) -> str:
    text: bytes = coco.encode(np.asfortranarray(rows, np.uint8))["counts"]
    return text.decode()


def test_equal_maps_give_equal_bytes() -> None:
    assert dumps(noise(5, 9)) == dumps(noise(5, 9))
    assert encode_png(noise(5, 9)) == encode_png(noise(5, 9))
    assert dumps(noise(5, 9)).isascii()


def test_a_look_at_the_png_shows_the_labels_colours() -> None:
    found = label_map([[0, 3, 7], [3, 7, 7]])
    with Image.open(io.BytesIO(encode_png(found))) as picture:
        seen = np.asarray(picture.convert("RGB"))
    for class_id in (0, 3, 7):
        colours = seen[found.class_ids == class_id]
        assert (colours == label_colour(found.labels[class_id])).all()
