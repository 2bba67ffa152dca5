"""Every format alike: what can't be converted is left out and told, and the rest goes on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from example_pictures import categories_of, empty_example, example

from ssa.errors import Fault
from ssa.formats.categories import Categories
from ssa.formats.converting import each_converted
from ssa.formats.example import Example
from ssa.formats.semantic_png import write_semantic_png
from ssa.formats.table import EXPORTED, FORMATS

MASK = np.ones((4, 6), np.bool_)


@pytest.mark.parametrize("name", [one.name for one in EXPORTED])
def test_a_label_that_is_no_category_is_its_pictures_fault(name: str, tmp_path: Path) -> None:
    pictures = [
        example("a/1.jpg", [MASK], ["dog"]),
        example("a/2.jpg", [MASK, MASK], ["dog", "hand-made"]),
        empty_example("a/3.jpg"),
    ]
    write = FORMATS[name].load()
    (fault,) = write(pictures, tmp_path, Categories(["dog"]))
    assert (fault.file, fault.step) == ("a/2.jpg", name)
    assert "got 'hand-made'; put the label back, or add it at the end of categories.json" in (
        fault.message
    )
    assert write(pictures, tmp_path, Categories(["dog", "hand-made"])) == []


def test_a_name_that_is_taken_is_told_without_a_path(tmp_path: Path) -> None:
    pictures = [empty_example("a/b"), empty_example("a/b.png/c")]
    (fault,) = write_semantic_png(pictures, tmp_path, Categories())
    assert fault.file == "a/b.png/c"
    assert fault.message.startswith("expected its file's name to be free; got a file where")
    assert "rename" in fault.message
    assert str(tmp_path) not in fault.message


def test_examples_are_converted_one_at_a_time() -> None:
    asked: list[str] = []

    def watched() -> Iterable[Example]:
        for key in "ab":
            asked.append(key)
            yield example(key, [MASK])

    faults: list[Fault] = []
    categories = categories_of([example("a", [MASK])])
    made = each_converted(watched(), "x", categories, lambda one: one.key, faults)
    assert next(made)[1] == "a"
    assert asked == ["a"]
    assert [key for _, key in made] == ["b"]
    assert faults == []
