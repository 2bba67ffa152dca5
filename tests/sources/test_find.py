"""Inputs of every kind together: keys that are unique and stay, and what is refused at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ssa.errors import InputError
from ssa.sources import find_items
from tests.sources.made_up import Files, found, keys, make_folder, make_tar, sa1b


def everything(tmp_path: Path) -> list[Path]:
    folder = make_folder(tmp_path / "photos", {"dog.jpg": b"", "x/cat.png": b""})
    other = make_folder(tmp_path / "other" / "photos", {"dog.jpg": b""})
    (tmp_path / "list.txt").write_text("other/photos/dog.jpg\n")
    return [
        folder,
        make_tar(tmp_path / "sa_000000.tar", sa1b(1)),
        make_folder(tmp_path / "sa_000000", sa1b(1, 2)),
        tmp_path / "list.txt",
        other,
        folder / "dog.jpg",
        other / "dog.jpg",
    ]


def test_a_mix_of_sources(tmp_path: Path) -> None:
    items, faults = found(*everything(tmp_path))
    assert not faults
    assert keys(items) == [
        *("photos/dog.jpg", "photos/x/cat.png", "sa_000000/sa_1"),
        *("sa_000000-2/sa_1", "sa_000000-2/sa_2", "list/other/photos/dog.jpg"),
        *("photos-2/dog.jpg", "dog.jpg", "dog-2.jpg"),
    ]
    assert [item.name for item in items[4:]] == [
        *("sa_000000-2/sa_2.jpg", "list/other/photos/dog.jpg"),
        *("photos-2/dog.jpg", "dog.jpg", "dog.jpg"),
    ]
    assert keys(found(*everything(tmp_path))[0]) == keys(items)


def test_an_input_that_comes_again_is_taken_once(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "photos", {"dog.jpg": b""})
    assert keys(found(folder, folder, tmp_path / "x" / ".." / "photos")[0]) == ["photos/dog.jpg"]


def test_a_picture_as_an_input(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "sa", {**sa1b(1), "sa_2.jpg": b""})
    (item,), faults = found(folder / "sa_1.jpg")
    assert (item.key, item.file_name, faults) == ("sa_1.jpg", "sa_1.jpg", [])
    assert item.masks is not None
    items, (fault,) = found(folder / "sa_2.jpg", masks="given")
    assert not items
    assert (fault.file, fault.step) == ("sa_2.jpg", "pair")


def test_no_key_leaves_the_output_or_names_a_folder_that_is_a_file(tmp_path: Path) -> None:
    files: Files = {
        "a.jpg": b"",
        "..x.jpg": b"",
        "b..jpg": b"",
        "c.jpg": b"",
        "c.jpg.json/d.jpg": b"",
    }
    items, _ = found(make_folder(tmp_path / "p", files), *everything(tmp_path))
    written = {f"{key}.json" for key in keys(items)}
    assert len(written) == len(items)
    for name in written:
        parts = name.split("/")
        assert not {"/".join(parts[:depth]) for depth in range(len(parts))} & written


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gone", "nothing behind it"),
        ("gone.jpg", "nothing behind it"),
        ("notes.doc", "another kind"),
        ("photos.tar.gz", "unpack it first"),
        ("photos.TGZ", "unpack it first"),
        ("pipe.jpg", "neither a file nor a folder"),
        ("out", "the folder for the output"),
        ("out1", "the results of a run; name the folder of its pictures"),
    ],
)
def test_inputs_that_are_refused_before_any_work(tmp_path: Path, name: str, said: str) -> None:
    names = ("notes.doc", "photos.tar.gz", "photos.TGZ", "out/x.jpg", "out1/.ssa/ledger.sqlite")
    files: Files = dict.fromkeys(names, b"")
    folder = make_folder(tmp_path / "p", files)
    os.mkfifo(folder / "pipe.jpg")
    with pytest.raises(InputError, match=said) as caught:
        find_items([folder, folder / name], None, folder / "out")
    assert name in str(caught.value)


def test_a_link_to_a_source_has_the_links_name(tmp_path: Path) -> None:
    make_folder(tmp_path / "long name of a folder", {"dog.jpg": b""})
    (tmp_path / "short").symlink_to(tmp_path / "long name of a folder")
    assert keys(found(tmp_path / "short")[0]) == ["short/dog.jpg"]
