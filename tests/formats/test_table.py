"""The table of formats: every line is true of what its writer does, and sources know what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from example_pictures import categories_of, example
from PIL import Image

from ssa.errors import InputError
from ssa.formats.example import Example
from ssa.formats.options import AS_USUAL, FormatOptions
from ssa.formats.table import (
    ALWAYS,
    ENDINGS,
    EXPORTED,
    FORMATS,
    Format,
    check_options,
    parse_formats,
)
from ssa.sources import Item, find_items

ROOT = Path(__file__).resolve().parents[2]
EVERY = pytest.mark.parametrize("one", EXPORTED, ids=lambda one: one.name)
ALL_ASKED = FormatOptions("us", "http://x/", True, 0.5)


def place(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def placed(key: str) -> Example:
    found = example(key, [np.ones((4, 6), np.bool_)])
    return Example(key, found.file_name, 4, 6, found.annotations, place)


def written(one: Format, keys: list[str], folder: Path) -> set[str]:
    """The names of all files."""
    pictures = [placed(key) for key in sorted(keys)]
    assert one.load()(pictures, folder, categories_of(pictures), ALL_ASKED) == []
    return {os.path.relpath(path, folder) for path in folder.rglob("*") if path.is_file()}


@EVERY
def test_files_that_are_called_by_a_picture_have_the_endings_of_the_table(
    one: Format, tmp_path: Path
) -> None:
    names = written(one, ["s/unheard.of.jpg"], tmp_path)
    behind = {name.rpartition("s/unheard.of")[2] for name in names if "s/unheard.of" in name}
    # A picture placed is called by its own name, and has nothing behind it.
    assert {name.removeprefix(".jpg") for name in behind} - {""} == set(one.endings)


@EVERY
def test_no_folder_of_pictures_is_in_the_way_of_a_format(one: Format, tmp_path: Path) -> None:
    """A picture x.png beside a folder x.png.xml was a fault once a format wrote x.png.xml."""
    pictures = tmp_path / "pictures"
    for name in ("x.png", *(f"x.png{ending}/y.png" for ending in (*ENDINGS, *one.endings))):
        (pictures / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (6, 4)).save(pictures / name)
    found = list(find_items([pictures], "sam", tmp_path / "none"))
    items = [item for item in found if isinstance(item, Item)]
    assert len(items) == len(found) == len(ENDINGS) + 1
    written(one, [item.key for item in items], tmp_path / "out")


def test_sources_learn_the_endings_here() -> None:
    assert {ending for one in FORMATS.values() for ending in one.endings} < set(ENDINGS)
    assert ALWAYS.endings == (".json",)


@EVERY
def test_an_option_changes_files_where_the_table_says_so(one: Format, tmp_path: Path) -> None:
    def contents(options: FormatOptions, name: str) -> dict[str, bytes]:
        folder = tmp_path / name
        pictures = [placed(f"s/{number}.jpg") for number in range(4)]
        assert one.load()(pictures, folder, categories_of(pictures), options) == []
        files = [path for path in folder.rglob("*") if path.is_file()]
        return {os.path.relpath(path, folder): path.read_bytes() for path in files}

    usual = contents(AS_USUAL, "usual")
    for option, value in (("picture_prefix", "p"), ("link_images", True), ("split", 0.5)):
        asked = contents(FormatOptions(**{option: value}), option)  # type: ignore[arg-type]
        assert (asked != usual) == (option in one.options), option


@EVERY
def test_files_say_whose_annotations_they_are(one: Format, tmp_path: Path) -> None:
    written(one, ["s/a.jpg"], tmp_path / "us")
    found = b"".join(path.read_bytes() for path in (tmp_path / "us").rglob("*.*"))
    # A grey or coloured picture has no place for it.
    assert (b"us" in found) == (one.name != "semantic-png")


def test_formats_are_named_with_commas_between() -> None:
    assert parse_formats("coco, sa1b,coco") == ("coco", "sa1b")
    with pytest.raises(InputError, match=r"of sa1b, coco, .*, label-studio, .*; got 'pascal'"):
        parse_formats("coco,pascal")


def test_a_package_that_is_missing_is_told_with_what_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"parquet needs pyarrow.*uv sync --extra parquet"):
        parse_formats("coco,parquet")
    assert parse_formats("coco") == ("coco",)
    with pytest.raises(InputError, match="needs no_such_package"):
        Format("x", "", "x", needs=("no_such_package",)).check()


@pytest.mark.parametrize(
    ("options", "names", "said"),
    [
        (FormatOptions(split=0.8), ("coco",), "--split belongs to --format yolo;"),
        (FormatOptions(link_images=True), ("sa1b",), "coco or coco-polygons or yolo;"),
        (FormatOptions(picture_prefix="x"), (), "--picture-prefix belongs to --format label-st"),
    ],
)
def test_an_option_that_nobody_heeds_is_refused(
    options: FormatOptions, names: tuple[str, ...], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        check_options(names, options)
    check_options((*names, "yolo", "label-studio"), options)
    check_options(names, AS_USUAL)


def test_who_asks_what_there_is_waits_for_no_format() -> None:
    code = (
        "import sys, ssa.sources, ssa.formats.table\n"
        "print(sorted(name for name in sys.modules if name.startswith('ssa.formats.')))\n"
        "assert not {'pycocotools', 'pyarrow', 'PIL', 'scipy'} & set(sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert "ssa.formats.table" in run.stdout
    assert "ssa.formats.coco" not in run.stdout
