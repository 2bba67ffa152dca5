"""Pictures put where formats want them: links to files, copies of what lies in a tar."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from dataset_doubles import draw_pictures

from ssa.dataset.examples import place
from ssa.sources import Item, find_items
from ssa.sources.item import Blob


def blob_of(path: Path) -> Blob:
    return Blob(path, 0, path.stat().st_size)


def test_a_file_is_linked_and_a_link_follows_it(tmp_path: Path) -> None:
    (first,) = draw_pictures(tmp_path / "pictures", 1)
    (second,) = draw_pictures(tmp_path / "others", 1, (5, 5))
    link = tmp_path / "images" / "s" / "a.png"
    for picture in (first, first, second):
        place(blob_of(picture), link)
        assert link.samefile(picture)
        assert not link.is_symlink()
    assert list(link.parent.iterdir()) == [link]


def test_what_lies_in_a_tar_is_copied(tmp_path: Path) -> None:
    (picture,) = draw_pictures(tmp_path / "pictures", 1)
    with tarfile.open(tmp_path / "shard.tar", "w") as tar:
        tar.add(picture, "000.png")
    (item,) = find_items([tmp_path / "shard.tar"], "sam", tmp_path / "out")
    assert isinstance(item, Item)
    place(item.picture, tmp_path / "copy.png")
    assert (tmp_path / "copy.png").read_bytes() == picture.read_bytes()


def test_a_copy_that_somebody_put_there_stays(tmp_path: Path) -> None:
    (picture,) = draw_pictures(tmp_path / "pictures", 1)
    copy = tmp_path / "copy.png"
    copy.write_bytes(picture.read_bytes())
    place(blob_of(picture), copy)
    assert not copy.samefile(picture)
    copy.write_bytes(b"of an earlier picture")
    place(blob_of(picture), copy)
    assert copy.samefile(picture)


@pytest.mark.parametrize("offset", [0, 512])
def test_a_picture_that_is_gone_is_told(tmp_path: Path, offset: int) -> None:
    with pytest.raises(ValueError, match="expected its picture where it was") as caught:
        place(Blob(tmp_path / "gone", offset, 9), tmp_path / "x" / "a.png")
    assert str(tmp_path) not in str(caught.value)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() or path.is_symlink()]


def test_a_folder_in_its_place_is_left(tmp_path: Path) -> None:
    (picture,) = draw_pictures(tmp_path / "pictures", 1)
    (tmp_path / "a.png").mkdir()
    with pytest.raises(IsADirectoryError):
        place(blob_of(picture), tmp_path / "a.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "pictures"]
