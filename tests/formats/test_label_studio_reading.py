"""Exports of Label Studio: strokes, polygons, several annotators, and what is no region."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from example_pictures import categories_of, examples
from hypothesis import given, settings

from ssa.errors import InputError
from ssa.formats.brush_rle import brush_rle
from ssa.formats.example import Example, label_of
from ssa.formats.foreign import ForeignFile
from ssa.formats.label_studio import writable, write_label_studio
from ssa.formats.label_studio_reading import is_label_studio, read_label_studio
from ssa.masks.run_lengths import decode, encode

MASK = np.zeros((4, 6), np.bool_)
MASK[1:3, 2:5] = True
SIZE = {"original_height": 4, "original_width": 6, "image_rotation": 0}
STROKE: dict[str, Any] = {
    "id": "mask-3",
    "type": "brushlabels",
    **SIZE,
    "value": {"format": "rle", "rle": list(brush_rle(encode(MASK))), "brushlabels": ["cat", "pet"]},
}


def task(*results: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"data": {"image": "a.jpg"}, "annotations": [{"result": list(results), **more}]}


def read(*tasks: dict[str, Any]) -> ForeignFile:
    return read_label_studio(json.loads(json.dumps(tasks)))


def as_annotated(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What Label Studio exports once somebody has submitted every prediction."""
    return [{"id": i, "annotations": one["predictions"], **one} for i, one in enumerate(tasks)]


@given(examples())
@settings(max_examples=25)
def test_what_was_written_comes_back(pictures: list[Example]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert write_label_studio(pictures, Path(folder), categories_of(pictures)) == []
        tasks = json.loads((Path(folder) / "tasks.json").read_bytes())
    assert read_label_studio(tasks) == ForeignFile(())
    found = read_label_studio(as_annotated(tasks)).pictures
    assert [one.name for one in found] == [one.picture_name for one in pictures]
    for picture, example in zip(found, pictures, strict=True):
        assert picture.size_hw == ((example.height, example.width) if example.annotations else None)
        for i, (region, own) in enumerate(zip(picture.regions, example.annotations, strict=True)):
            assert region.mask == own.proposal.rle
            assert region.label == writable(label_of(own))
            assert region.region == str(i)


def test_a_stroke_has_the_first_of_its_labels() -> None:
    ((region,),) = [one.regions for one in read(task(STROKE)).pictures]
    assert (region.mask, region.label, region.region) == (encode(MASK), "cat", "3")


def test_a_polygon_is_in_hundredths_of_the_picture() -> None:
    points = [[200 / 6, 25], [500 / 6, 25], [500 / 6, 75], [200 / 6, 75]]
    value = {"points": points, "polygonlabels": ["cat"]}
    ((region,),) = [
        one.regions
        for one in read(
            task({"id": "x9", "type": "polygonlabels", **SIZE, "value": value})
        ).pictures
    ]
    np.testing.assert_array_equal(decode(region.mask), MASK)
    assert (region.label, region.region) == ("cat", None)


def test_a_label_may_come_in_a_row_of_its_own_and_whole_pictures_have_others() -> None:
    stroke = {**STROKE, "type": "brush", "value": {"rle": STROKE["value"]["rle"], "format": "rle"}}
    label = {"id": "mask-3", "type": "labels", **SIZE, "value": {"labels": ["dog"]}}
    choice = {"id": "c", "type": "choices", "value": {"choices": ["good"]}}
    ((region,),) = [one.regions for one in read(task(stroke, label, choice)).pictures]
    assert region.label == "dog"
    ((bare,),) = [one.regions for one in read(task(stroke)).pictures]
    assert bare.label is None


def test_the_last_annotation_that_was_not_skipped_counts() -> None:
    old, new = (
        {"result": [], "updated_at": "2026-01-01"},
        {"result": [STROKE], "updated_at": "2026-02-01"},
    )
    skipped = {"result": [], "updated_at": "2026-03-01", "was_cancelled": True}
    several = {**task(), "annotations": [new, skipped, old]}
    assert len(read(several).pictures[0].regions) == 1
    assert read({**task(), "annotations": [skipped]}, {"data": {"image": "b"}}).pictures == ()


def test_the_picture_is_the_only_text_where_it_is_called_otherwise() -> None:
    assert read({**task(STROKE), "data": {"photo": "b.jpg", "n": 3}}).pictures[0].name == "b.jpg"
    with pytest.raises(InputError, match="sound 'image'"):
        read({**task(STROKE), "data": {"photo": "b.jpg", "title": "x"}})


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"id": "r", "type": "rectanglelabels", **SIZE, "value": {"x": 1}}, "another 'type'"),
        ({**STROKE, "image_rotation": 90}, "another 'image_rotation'"),
        ({**STROKE, "original_height": 5}, "expected 5 × 6 pixels"),
        ({**STROKE, "original_height": 1 << 30}, "another 'original_height'"),
        ({**STROKE, "value": {"rle": [999]}}, "another 'rle'"),
        ({**STROKE, "value": {"rle": [1, 2]}}, "too early"),
        ({**STROKE, "value": {"points": [[1, 1], [2, 2]]}}, "another 'points'"),
        ({**STROKE, "value": {"points": [[1, 1], [2, 2], [1e9, 3]]}}, "another 'points'"),
        ({**STROKE, "value": None}, "another 'value'"),
    ],
)
def test_a_picture_with_what_can_not_be_read_is_left_out(row: dict[str, Any], why: str) -> None:
    found = read(task(STROKE, {**row, "id": "other"}), task(STROKE))
    assert len(found.pictures) == 1
    (fault,) = found.faults
    assert fault.file == "a.jpg"
    assert why in fault.message


@pytest.mark.parametrize("payload", [[{"data": {"image": 3}}], [{"data": {}}], [3], {}])
def test_what_is_no_export_is_refused(payload: Any) -> None:
    with pytest.raises(InputError, match="expected Label Studio's export"):
        read_label_studio(payload)


def test_an_export_is_known_by_its_tasks() -> None:
    assert is_label_studio([task(STROKE)])
    assert not is_label_studio([{"image": "a.jpg"}])
    assert not is_label_studio({"images": [], "annotations": []})
