"""Bytes in files and tars, and what a picture is called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ssa.sources.item import Blob, Item


def test_a_blob_reads_its_own_bytes_and_no_others(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(bytes(range(100)))
    assert Blob(path, 10, 5).read() == bytes(range(10, 15))
    assert not Blob(path, 10, 5).is_file
    whole = Blob.of_file(path)
    assert (whole.offset, whole.size, whole.is_file) == (0, 100, True)
    assert whole.read() == path.read_bytes()


def test_a_file_cut_short_is_told_with_both_sizes(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"123456")
    blob = Blob(path, 2, 9)
    with pytest.raises(EOFError, match="expected 9 bytes; got 4; the file was cut short"):
        blob.read()


def test_what_is_no_file_is_refused_and_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(OSError, match="a folder, a pipe or a device"):
            Blob.of_file(path)
    with pytest.raises(FileNotFoundError):
        Blob.of_file(tmp_path / "missing")


@pytest.mark.parametrize(
    ("key", "name"),
    [("a.png", "ä.png"), ("photos/a.png", "photos/ä.png"), ("photos/x/a.png", "photos/ä.png")],
)
def test_a_picture_is_called_by_its_source_and_its_own_name(key: str, name: str) -> None:
    assert Item(key, "ä.png", Blob(Path("/a"), 0, 1)).name == name
