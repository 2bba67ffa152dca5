"""Lists of pictures, folders and tars: each entry once, and a word on each that is nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssa.errors import Fault
from ssa.sources.lists import entries_of
from tests.sources.made_up import MASKS, METADATA, found, keys, make_folder, make_tar, sa1b


def write_list(path: Path, *lines: str | Path, end: str = "\n") -> Path:
    path.write_bytes(os.fsencode("".join(f"{line}{end}" for line in lines)))
    return path


def test_entries_in_their_order(tmp_path: Path) -> None:
    far = make_folder(tmp_path / "far", {"z.jpg": b"z"})
    here = make_folder(tmp_path / "here", {"b.jpg": b"b", "sub/a b.png": b"a"})
    listed = write_list(
        here / "pictures.txt", "# mine", "", "sub/a b.png", "   ", far / "z.jpg", "./b.jpg"
    )
    items, faults = found(listed)
    assert not faults
    far_key = f"pictures/%{far}/z.jpg"
    assert keys(items) == ["pictures/sub/a b.png", far_key, "pictures/b.jpg"]
    assert [item.picture.read() for item in items] == [b"a", b"z", b"b"]
    assert items[0].file_name == "sub/a b.png"


def test_folders_and_tars_are_sources_of_their_own(tmp_path: Path) -> None:
    make_folder(tmp_path / "sa_1", {"x.jpg": b""})
    make_tar(tmp_path / "sa_1.tar", {"x.jpg": b""})
    make_folder(tmp_path / "sa_000002", sa1b(7))
    listed = write_list(tmp_path / "sa_1.txt", "sa_1.tar", "sa_1", "sa_1/x.jpg", "sa_000002/")
    items, faults = found(listed)
    assert not faults
    assert keys(items) == ["sa_1-2/x.jpg", "sa_1-3/x.jpg", "sa_1/sa_1/x.jpg", "sa_000002/sa_7"]


def test_an_entry_that_comes_again_is_taken_once(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "p", {"a.jpg": b"", "b.jpg": b"", "c/d.jpg": b""})
    lines = ("a.jpg", "b.jpg", "./a.jpg", "a.jpg", "c", folder / "a.jpg", "c/", "b.jpg")
    items, faults = found(write_list(folder / "l.txt", *lines))
    assert keys(items) == ["l/a.jpg", "l/b.jpg", "c/d.jpg"]
    assert not faults


def test_what_is_nothing_is_a_fault_with_its_line(tmp_path: Path) -> None:
    folder = make_folder(
        tmp_path / "p", {"a.jpg": b"", "x.doc": b"", "y.tar.gz": b"", "m.txt": b""}
    )
    lines = ("gone.jpg", "", "a.jpg", "x.doc", "y.tar.gz", "m.txt", "nul\0.jpg", "l.txt")
    items, faults = found(write_list(folder / "l.txt", *lines))
    assert keys(items) == ["l/a.jpg"]
    assert [fault.file for fault in faults] == [line for line in lines if line not in ("", "a.jpg")]
    numbers = (1, 4, 5, 6, 7, 8)
    for fault, number in zip(faults, numbers, strict=True):
        assert fault.step == "input"
        assert fault.message.startswith(f"line {number} of l: ")
    assert "unpack" in faults[2].message
    assert "list" in faults[3].message


def test_line_ends_marks_and_bytes_of_other_systems(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    folder = make_folder(tmp_path / "p", {"a.jpg": b"", name: b"", " b .jpg": b""})
    (folder / "l.txt").write_bytes(b"\xef\xbb\xbfa.jpg\r\ncaf\xe9.jpg\r\n b .jpg")
    items, faults = found(folder / "l.txt")
    assert keys(items) == ["l/a.jpg", "l/caf%E9.jpg", "l/ b .jpg"]
    assert not faults


def test_pictures_of_sa1b_bring_their_masks(tmp_path: Path) -> None:
    files = {**sa1b(1, 2), "sa_3.jpg": b"", "plain/a.jpg": b"", "plain/a.json": METADATA}
    folder = make_folder(tmp_path / "p", files)
    listed = write_list(folder / "l.txt", "sa_2.jpg", "sa_3.jpg", "plain/a.jpg")
    items, faults = found(listed)
    # A picture that was asked for by name keeps it.
    assert keys(items) == ["l/sa_2.jpg", "l/sa_3.jpg", "l/plain/a.jpg"]
    assert [item.masks.read() if item.masks else None for item in items] == [MASKS, None, None]
    assert not faults
    items, faults = found(listed, masks="given")
    assert keys(items) == ["l/sa_2.jpg", "l/plain/a.jpg"]
    assert [(fault.file, fault.step) for fault in faults] == [("l/sa_3.jpg", "pair")]
    items, faults = found(listed, masks="sam")
    assert [item.masks for item in items] == [None] * 3
    assert not faults


def test_broken_json_has_no_say_on_the_rest_of_its_folder(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "p", {**sa1b(1, 2, 3), "sa_1.json": b"{"})
    items, _ = found(write_list(folder / "l.txt", "sa_1.jpg", "sa_2.jpg"))
    assert [item.masks is not None for item in items] == [False, True]
    # Once it is known what the folder's JSON is, the fault is found where the JSON is read.
    items, _ = found(write_list(folder / "l.txt", "sa_2.jpg", "sa_1.jpg"))
    assert [item.masks is not None for item in items] == [True, True]


def test_an_empty_list_is_a_fault(tmp_path: Path) -> None:
    items, faults = found(write_list(tmp_path / "l.txt", "# nothing yet"))
    assert not items
    assert faults == [Fault("l", "input", "expected paths in this list; got none")]


PATHS = st.lists(
    st.sampled_from(["a.jpg", "./a.jpg", "b//c.jpg", "b/c.jpg", "/d.jpg", "e", "#", ""])
)


@given(PATHS)
def test_entries_are_those_of_a_plain_reading(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    path = write_list(tmp_path_factory.mktemp("list") / "l.txt", *lines)
    plain = [line.removeprefix("./").replace("//", "/") for line in lines if line not in ("", "#")]
    assert [entry.name for entry in entries_of(path)] == list(dict.fromkeys(plain))
    assert all(lines[entry.line - 1] == entry.text for entry in entries_of(path))
