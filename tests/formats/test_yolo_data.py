"""data.yaml, and the lists of pictures to train with and to validate."""

from __future__ import annotations

import tempfile
from pathlib import Path

import yaml
from example_pictures import empty_example
from hypothesis import given, settings
from hypothesis import strategies as st

from ssa.formats.categories import Categories
from ssa.formats.example import Example
from ssa.formats.options import FormatOptions
from ssa.formats.yolo import write_yolo


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True))
@settings(max_examples=100)
def test_any_name_comes_back_from_the_yaml(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_yolo([], Path(folder), Categories(names))
        content = yaml.safe_load((Path(folder) / "data.yaml").read_bytes())
    assert content["names"] == dict(enumerate(names))
    assert (content["train"], content["val"]) == ("images", "images")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_whatever_is_said_of_the_weights_is_a_comment(said: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write_yolo([], Path(folder), Categories(["dog"]), FormatOptions(said))
        text = (Path(folder) / "data.yaml").read_text()
    assert text.startswith("# ")
    assert yaml.safe_load(text) == {"train": "images", "val": "images", "names": {0: "dog"}}


def sides(folder: Path) -> tuple[list[str], list[str]]:
    """The pictures to train with and those to validate, as Ultralytics reads lists."""
    data = yaml.safe_load((folder / "data.yaml").read_bytes())
    train, val = ((folder / data[side]).read_text().splitlines() for side in ("train", "val"))
    return train, val


def test_a_split_is_two_lists_and_stays_as_pictures_come(tmp_path: Path) -> None:
    keys = [f"a/{number:03}.jpg" for number in range(400)]
    few, many = map(keyed_alike, (keys[::2], keys))
    assert write_yolo(few, tmp_path, Categories(["dog"]), FormatOptions(split=0.8)) == []
    train, val = sides(tmp_path)
    assert sorted([*train, *val]) == [f"./images/{one.key}" for one in few]
    assert 0.7 < len(train) / len(few) < 0.9
    assert write_yolo(many, tmp_path, Categories(["dog"]), FormatOptions(split=0.8)) == []
    more_train, more_val = sides(tmp_path)
    assert set(train) < set(more_train)
    assert set(val) < set(more_val)
    # Where the list says the picture is, readers find its text file by one word.
    for line in more_val:
        label = Path(line.replace("/images/", "/labels/")).with_suffix(".txt")
        assert (tmp_path / label).is_file()


def test_without_a_split_no_list_of_before_stays(tmp_path: Path) -> None:
    pictures = keyed_alike(["a.jpg", "b.jpg"])
    write_yolo(pictures, tmp_path, Categories(["dog"]), FormatOptions(split=0.5))
    write_yolo(pictures, tmp_path, Categories(["dog"]))
    assert not list(tmp_path.glob("*.txt"))
    assert yaml.safe_load((tmp_path / "data.yaml").read_bytes())["val"] == "images"


def keyed_alike(keys: list[str]) -> list[Example]:
    return [empty_example(key) for key in keys]
