"""Records once more with what was said of them, as SA-1B's readers take them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from example_pictures import categories_of, example, example_pictures, rich_annotation, ring

from ssa.formats.example import Example, Mark
from ssa.formats.options import FormatOptions
from ssa.formats.sa1b_files import loads
from ssa.formats.sa1b_reviewed import dumps, write_reviewed
from ssa.types import TreeNode

MASK = ring(20, 30, 10, 10, 8)


def records_of(picture: Example) -> list[dict[str, Any]]:
    return list(json.loads(dumps(picture, "us"))["annotations"])


def test_a_picture_is_read_as_it_was(tmp_path: Path) -> None:
    pictures = example_pictures()
    options = FormatOptions(made_by="us")
    assert write_reviewed(pictures, tmp_path, categories_of(pictures), options) == []
    for picture in pictures:
        data = (tmp_path / f"{picture.key}.json").read_bytes()
        image, found = loads(data)
        assert found == picture.annotations
        assert (image["height"], image["width"]) == (picture.height, picture.width)
        assert json.loads(data)["info"] == {"description": "us"}


def test_records_say_what_was_decided_and_keep_their_ids() -> None:
    marks = (Mark(7, "accepted"), Mark("3.0", "corrected"), Mark(0, "rejected"))
    picture = replace(example("a/b.jpg", [MASK] * 3), marks=marks)
    assert [(row["id"], row["reviewed"]) for row in records_of(picture)] == [
        (7, "accepted"), (1, "corrected"), (0, "rejected"),
    ]  # fmt: skip
    assert {row["reviewed"] for row in records_of(replace(picture, marks=()))} == {"none"}


def test_a_tree_speaks_of_the_ids() -> None:
    whole, part = rich_annotation(MASK), replace(rich_annotation(MASK), node=TreeNode(0, 1))
    picture = Example("a/b.jpg", "b.jpg", 20, 30, (whole, part), marks=(Mark(7), Mark(0)))
    first, second = records_of(picture)
    assert (first["id"], first["parent_id"], second["id"], second["parent_id"]) == (7, None, 0, 7)
    assert first["detail"]["caption"] == "a wheel of a car"
    assert loads(dumps(picture, "us"))[1] == (whole, part)
