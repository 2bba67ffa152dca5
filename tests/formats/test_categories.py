"""Ids of labels never change, however a stream of labels is cut into runs."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssa.drawing.colours import hexadecimal, label_colour
from ssa.errors import InputError
from ssa.formats.categories import Categories

LABELS = st.text(st.characters(), max_size=3)


@given(st.lists(LABELS), st.data())
def test_any_split_of_a_stream_gives_the_same_ids(labels: list[str], data: st.DataObject) -> None:
    whole = Categories().extended(labels)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(labels)), max_size=4)))
    grown = Categories()
    for start, stop in zip([0, *cuts], [*cuts, len(labels)], strict=True):
        earlier = grown
        grown = grown.extended(labels[start:stop])
        assert grown.names[: len(earlier)] == earlier.names
        assert all(grown.id_of(name) == earlier.id_of(name) for name in earlier.names)
    assert grown.names == whole.names


@given(st.lists(LABELS))
def test_ids_number_the_labels_in_the_order_met(labels: list[str]) -> None:
    found = Categories().extended(labels)
    assert [found.id_of(name) for name in found.names] == list(range(1, len(found) + 1))
    assert set(found.names) == set(labels)
    firsts = [labels.index(name) for name in found.names]
    assert firsts == sorted(firsts)


@given(st.lists(LABELS, unique=True))
def test_a_file_gives_back_what_was_saved(labels: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "categories.json"
        Categories(labels).save(path)
        assert Categories.load(path).names == tuple(labels)


def test_the_file_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "categories.json"
    Categories(["car", "red car"]).save(path)
    assert json.loads(path.read_bytes()) == [
        {"id": 1, "name": "car", "color": hexadecimal(label_colour("car"))},
        {"id": 2, "name": "red car", "color": hexadecimal(label_colour("red car"))},
    ]


def test_a_file_of_before_colours_is_read(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text('[{"id": 1, "name": "car"}]')
    assert Categories.load(tmp_path / "c.json").names == ("car",)


def test_a_label_never_met_has_no_id() -> None:
    with pytest.raises(KeyError):
        Categories(["car"]).id_of("Car")


def test_a_label_is_in_them_or_not() -> None:
    assert "car" in Categories(["car"])
    assert "Car" not in Categories(["car"])


def test_a_label_given_twice_is_refused() -> None:
    with pytest.raises(InputError, match="got 'car' twice"):
        Categories(["car", "road", "car"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "7",
        "null",
        '{"id": 1, "name": "car"}',
        '"car"',
        '["car"]',
        '[{"name": "car"}]',
        '[{"id": 1}]',
        '[{"id": 0, "name": "car"}]',
        '[{"id": 2, "name": "car"}]',
        '[{"id": true, "name": "car"}]',
        '[{"id": 1, "name": "car"}, {"id": 1, "name": "road"}]',
        '[{"id": 1, "name": 5}]',
        '[{"id": 1, "name": null}]',
        "[" * 100_000,
        "\xff",
    ],
)
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "categories.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match="expected a file of categories"):
        Categories.load(path)


def test_a_file_with_a_label_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "categories.json"
    path.write_text('[{"id": 1, "name": "car"}, {"id": 2, "name": "car"}]')
    with pytest.raises(InputError, match="got 'car' twice"):
        Categories.load(path)
