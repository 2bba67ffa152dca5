"""Single pictures: their masks lie beside them, or not, and one folder's first JSON speaks for the rest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ssa.errors import Fault
from ssa.sources import Item, MaskOrigin
from ssa.sources.alone import PicturesAlone

MASKS = json.dumps({"annotations": [{"segmentation": {"size": [1, 1], "counts": "01"}}]}).encode()


def put(folder: Path, name: str, data: bytes = b"a picture") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)
    return folder / name


def item(path: Path, masks: MaskOrigin) -> Item | Fault:
    return PicturesAlone(masks).item(path, path.name, path.name)


def with_masks(found: Item | Fault) -> bool:
    assert isinstance(found, Item)
    return found.masks is not None


def test_a_picture_is_an_item_by_its_name(tmp_path: Path) -> None:
    path = put(tmp_path, "a b.png")
    found = PicturesAlone(None).item(path, "sub/a b.png", "a b.png")
    assert isinstance(found, Item)
    assert (found.file_name, found.picture.path, found.masks) == ("a b.png", path, None)
    assert found.key == PicturesAlone("sam").item(path, "sub/a b.png", "a b.png").key  # type: ignore[union-attr]


def test_masks_beside_it_count_where_they_are_wanted_or_that_is_open(tmp_path: Path) -> None:
    path = put(tmp_path, "a.png")
    put(tmp_path, "a.json", MASKS)
    assert with_masks(item(path, None))
    assert with_masks(item(path, "given"))
    assert not with_masks(item(path, "sam"))


def test_where_masks_must_be_given_their_lack_is_a_fault(tmp_path: Path) -> None:
    found = item(put(tmp_path, "a.png"), "given")
    assert isinstance(found, Fault)
    assert (found.file, found.step) == ("a.png", "pair")
    assert "expected masks beside it in a.json" in found.message


def test_a_picture_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    found = item(tmp_path / "a.png", None)
    assert isinstance(found, Fault)
    assert (found.file, found.step) == ("a.png", "read")


@pytest.mark.parametrize("first", [MASKS, b'{"caption": "no masks"}'])
def test_the_first_json_of_a_folder_speaks_for_the_others(tmp_path: Path, first: bytes) -> None:
    alone = PicturesAlone(None)
    for name, data in (("a", first), ("b", MASKS)):
        put(tmp_path, f"{name}.png")
        put(tmp_path, f"{name}.json", data)
    names = ("a.png", "b.png")
    found = [with_masks(alone.item(tmp_path / name, name, name)) for name in names]
    assert found == [first == MASKS] * 2
    put(tmp_path / "other", "c.png")  # and of another folder it says nothing
    put(tmp_path / "other", "c.json", MASKS)
    assert with_masks(alone.item(tmp_path / "other/c.png", "c.png", "c.png"))
