"""JSON written row by row is the JSON that the rows make, and it's there whole or not at all."""

from __future__ import annotations

import json
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssa.formats.json_stream import json_list, json_lists

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)  # fmt: skip
NAMES = ("annotations", "images", "categories")


@given(st.lists(VALUES))
def test_a_list_holds_its_rows(rows: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "new" / "rows.json"
        with json_list(path) as written:
            for row in rows:
                written.add(row)
        assert json.loads(path.read_bytes()) == rows


@given(st.lists(st.tuples(st.sampled_from(range(3)), VALUES)))
def test_rows_of_several_lists_may_come_in_any_turn(rows: list[tuple[int, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lists.json"
        with json_lists(path, *NAMES) as lists:
            for which, row in rows:
                lists[which].add(row)
        expected = {
            name: [row for which, row in rows if which == number]
            for number, name in enumerate(NAMES)
        }
        assert json.loads(path.read_bytes()) == expected
        assert list(Path(folder).iterdir()) == [path]


def test_each_row_has_a_line_of_its_own(tmp_path: Path) -> None:
    with json_lists(tmp_path / "x.json", "a", "b") as (first, second):
        second.add({"name": "Straße"})
        first.add(1)
        first.add([2, 3])
    assert (tmp_path / "x.json").read_text("ascii") == (
        '{"a":[\n1,\n[2,3]\n],\n"b":[\n{"name":"Stra\\u00dfe"}\n]}\n'
    )


def test_what_is_said_first_comes_first(tmp_path: Path) -> None:
    with json_lists(tmp_path / "x.json", "a", head={"info": {"by": "Ä"}, "n": 1}) as (rows,):
        rows.add(2)
    assert (tmp_path / "x.json").read_text("ascii") == (
        '{"info":{"by": "\\u00c4"},\n"n":1,\n"a":[\n2\n]}\n'
    )


def test_a_block_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b"before")
    with pytest.raises(ValueError, match="JSON"):
        _write_what_is_no_json(path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def _write_what_is_no_json(path: Path) -> None:
    with json_lists(path, "a", "b") as (first, second):
        first.add(1)
        second.add(float("nan"))


def test_memory_does_not_grow_with_rows(tmp_path: Path) -> None:
    row = {"text": "x" * 10_000}
    tracemalloc.start()
    with json_lists(tmp_path / "x.json", "a", "b") as lists:
        for _ in range(500):
            for rows in lists:
                rows.add(row)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "x.json").stat().st_size > 10_000_000
    assert peak < 1_000_000
