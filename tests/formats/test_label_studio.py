"""Tasks and configuration, read by Label Studio's own converter."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from example_pictures import (
    annotation,
    categories_of,
    empty_example,
    example,
    example_pictures,
    examples,
    peak_of,
)
from hypothesis import given, settings
from label_studio_converter import Converter
from label_studio_converter.brush import decode_from_annotation
from label_studio_tools.core.label_config import parse_config

from ssa.formats.categories import Categories
from ssa.formats.example import Example, label_of
from ssa.formats.label_studio import write_label_studio
from ssa.formats.options import FormatOptions
from ssa.masks import run_lengths as masks


def write(pictures: list[Example], folder: Path, prefix: str = "") -> list[dict[str, Any]]:
    """The tasks of a run without faults."""
    options = FormatOptions(picture_prefix=prefix, made_by="us, bundle tiny")
    assert write_label_studio(pictures, folder, categories_of(pictures), options) == []
    tasks: list[dict[str, Any]] = json.loads((folder / "tasks.json").read_bytes())
    return tasks


def accepted(tasks: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """What Label Studio's converter reads once somebody has accepted every prediction."""
    path = folder / "accepted.json"
    path.write_text(
        json.dumps(
            [{"id": i, "annotations": one["predictions"], **one} for i, one in enumerate(tasks)]
        )
    )
    converter = Converter((folder / "config.xml").read_text("utf-8"), project_dir=None)
    return list(converter.iter_from_json_file(str(path)))


@given(examples())
@settings(max_examples=25, deadline=None)
def test_the_converter_reads_every_mask_and_name(pictures: list[Example]) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        items = accepted(write(pictures, folder), folder)
    assert [item["input"]["image"] for item in items] == [one.key for one in pictures]
    for item, picture in zip(items, pictures, strict=True):
        regions = item["output"].get("tag", [])
        assert [one["brushlabels"] for one in regions] == [
            [label_of(one)] for one in picture.annotations
        ]
        found = list(decode_from_annotation("tag", regions).values())
        expected = [masks.decode(one.proposal.rle) for one in picture.annotations]
        assert len(found) == len(expected)
        for layer, mask in zip(found, expected, strict=True):
            np.testing.assert_array_equal(layer, mask * np.uint8(255))


def test_a_task_by_hand(tmp_path: Path) -> None:
    (task,) = write([example("photos/dog.jpg", [np.eye(3, 4, dtype=np.bool_)])], tmp_path)
    (prediction,) = task["predictions"]
    (region,) = prediction["result"]
    value = region.pop("value")
    assert task["data"] == {"image": "photos/dog.jpg"}
    assert prediction["model_version"] == "us, bundle tiny"
    assert region == {
        "id": "mask-0",
        "from_name": "tag",
        "to_name": "image",
        "type": "brushlabels",
        "original_width": 4,
        "original_height": 3,
        "image_rotation": 0,
        "score": 0.9,
    }
    assert set(value) == {"format", "rle", "brushlabels"}
    assert (value["format"], value["brushlabels"]) == ("rle", ["dog"])


def test_pictures_may_be_somewhere_else(tmp_path: Path) -> None:
    tasks = write(example_pictures(), tmp_path, "/data/local-files/?d=")
    assert tasks[0]["data"]["image"] == "/data/local-files/?d=photos/a street.jpg"


def test_a_picture_with_given_masks_is_called_as_it_is_found(tmp_path: Path) -> None:
    (task,) = write([Example("sa/sa_1", "sa_1.jpg", 4, 5, ())], tmp_path, "https://example.org/")
    assert task["data"] == {"image": "https://example.org/sa/sa_1.jpg"}


def test_a_picture_without_masks_is_a_task(tmp_path: Path) -> None:
    (task,) = write([empty_example("a/b.jpg")], tmp_path)
    assert task["predictions"] == [{"model_version": "us, bundle tiny", "result": []}]


def test_the_configuration_has_every_label(tmp_path: Path) -> None:
    names = ["dog", "<b> & \"c\" 'd'", "two\nlines\tand tabs", "虎 🦊", "]]>", "$car"]
    write_label_studio([], tmp_path, Categories(names))
    parsed = parse_config((tmp_path / "config.xml").read_text("utf-8"))
    assert parsed["tag"]["labels"] == names
    assert parsed["tag"]["inputs"] == [{"type": "Image", "value": "image"}]
    assert parsed["tag"]["type"] == "BrushLabels"


def test_what_xml_cannot_hold_is_the_same_question_mark_in_both_files(tmp_path: Path) -> None:
    picture = example("a/b.jpg", [np.ones((2, 2), np.bool_)])
    odd = replace(picture, annotations=(annotation(np.ones((2, 2), np.bool_), "a\x00b\ud800"),))
    (task,) = write([odd], tmp_path)
    parsed = parse_config((tmp_path / "config.xml").read_text("utf-8"))
    assert parsed["tag"]["labels"] == ["a?b?"]
    assert task["predictions"][0]["result"][0]["value"]["brushlabels"] == ["a?b?"]


def test_a_picture_with_a_mask_of_another_size_is_left_out_and_told(tmp_path: Path) -> None:
    good = example_pictures()[0]
    bad = replace(good, key="photos/bad.jpg", height=good.height - 1)
    (fault,) = write_label_studio([bad, good], tmp_path, categories_of([good]))
    assert (fault.file, fault.step) == ("photos/bad.jpg", "label-studio")
    assert [one["data"]["image"] for one in json.loads((tmp_path / "tasks.json").read_bytes())] == [
        good.key
    ]


def test_equal_examples_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(example_pictures(), tmp_path / name)
    for file in ("tasks.json", "config.xml"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_memory_does_not_grow_with_pictures(tmp_path: Path) -> None:
    peak_of(write_label_studio, 5, 5, tmp_path)  # what is loaded and cached once
    assert (
        peak_of(write_label_studio, 60, 5, tmp_path)
        < peak_of(write_label_studio, 5, 5, tmp_path) + 100_000
    )
