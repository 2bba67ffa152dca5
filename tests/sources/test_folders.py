"""Folders: everything in them once, in the order of names, links and all."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ssa.errors import Fault
from ssa.sources import Blob, find_items
from tests.sources.made_up import MASKS, found, keys, make_folder

PICTURES = {
    "dog.jpg": b"dog",
    "dog.PNG": b"dog again",
    "sub folder/Äpfel 苹果.webp": b"apples",
    "sub folder/deep/x.tiff": b"x",
    "z.bmp": b"z",
    "notes.txt": b"no picture",
    "dog.jpg.bak": b"none either",
}
KEYS = [
    *("p/dog.PNG", "p/dog.jpg", "p/z.bmp"),
    *("p/sub folder/Äpfel 苹果.webp", "p/sub folder/deep/x.tiff"),
]
NOBODY = 65534


def test_all_pictures_come_by_name_and_can_be_read(tmp_path: Path) -> None:
    items, faults = found(make_folder(tmp_path / "p", PICTURES))
    assert keys(items) == KEYS
    assert not faults
    assert {item.file_name: item.picture.read() for item in items} == {
        name: data for name, data in PICTURES.items() if f"p/{name}" in KEYS
    }
    assert all(item.masks is None and item.picture.path.is_absolute() for item in items)


def test_the_order_is_that_of_names_and_not_of_making(tmp_path: Path) -> None:
    names = [f"{folder}{i}.jpg" for i in range(20) for folder in ("", "b/", "a/c/")]
    results = []
    for seed in range(3):
        random.Random(seed).shuffle(names)
        folder = make_folder(tmp_path / str(seed) / "p", dict.fromkeys(names, b""))
        results.append(keys(found(folder)[0]))
    assert results[0] == results[1] == results[2]
    assert len(results[0]) == 60


def test_a_relative_input_gives_absolute_paths(tmp_path: Path, monkeypatch) -> None:
    make_folder(tmp_path / "p", PICTURES)
    monkeypatch.chdir(tmp_path / "p" / "sub folder")
    items, _ = found(Path(".."))
    monkeypatch.chdir("/")
    assert keys(items) == KEYS
    assert items[0].picture.read() == b"dog again"


def test_it_is_lazy(tmp_path: Path) -> None:
    first = make_folder(tmp_path / "a", {"x.jpg": b""})
    second = make_folder(tmp_path / "b", {"y.jpg": b""})
    items = find_items([first, second], None, tmp_path / "out")
    assert next(items).key == "a/x.jpg"
    (second / "z.jpg").write_bytes(b"came while the work went on")
    assert [item.key for item in items] == ["b/y.jpg", "b/z.jpg"]


def test_hidden_names_and_the_output_are_passed_over(tmp_path: Path) -> None:
    folder = make_folder(
        tmp_path / "p",
        dict.fromkeys((".x.jpg", "._dog.jpg", ".git/a.jpg", "dog.jpg", "out/seen.jpg"), b""),
    )
    items, faults = found(folder, out=folder / "out")
    assert (keys(items), faults) == (["p/dog.jpg"], [])
    # By whatever path it is called.
    (tmp_path / "link").symlink_to(folder / "out")
    assert keys(found(folder, out=tmp_path / "link")[0]) == ["p/dog.jpg"]


def test_results_of_other_runs_are_passed_over(tmp_path: Path) -> None:
    files = ("dog.jpg", "out1/.ssa/ledger.sqlite", "out1/semantic-png/p/dog.jpg.png", "z/cat.jpg")
    folder = make_folder(tmp_path / "p", dict.fromkeys(files, b""))
    items, faults = found(folder, out=folder / "out2")
    assert (keys(items), faults) == (["p/dog.jpg", "p/z/cat.jpg"], [])
    # Pictures that somebody put there for a trainer may still be named.
    make_folder(folder / "out1", {"yolo/images/dog.jpg": b""})
    assert keys(found(folder / "out1" / "yolo" / "images")[0]) == ["images/dog.jpg"]


def test_an_empty_folder_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "notes.txt").write_text("no picture")
    items, (fault,) = found(tmp_path / "p")
    assert not items
    assert fault == Fault("p", "input", "expected pictures in this folder; got none")


def test_links_are_followed_but_not_back(tmp_path: Path) -> None:
    elsewhere = make_folder(tmp_path / "elsewhere", {"far.jpg": b"far", "more/m.jpg": b""})
    folder = make_folder(tmp_path / "p", {"a/near.jpg": b""})
    (folder / "linked.jpg").symlink_to(elsewhere / "far.jpg")
    (folder / "folder").symlink_to(elsewhere)
    (folder / "a" / "up").symlink_to(folder)
    (folder / "a" / "self").symlink_to(folder / "a")
    (elsewhere / "more" / "back").symlink_to(elsewhere)
    items, faults = found(folder)
    assert keys(items) == [
        *("p/linked.jpg", "p/a/near.jpg"),
        *("p/folder/far.jpg", "p/folder/more/m.jpg"),
    ]
    assert not faults
    assert items[0].picture.read() == b"far"


def test_a_link_to_nothing_is_a_fault(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "p", {"dog.jpg": b""})
    (folder / "gone.jpg").symlink_to(tmp_path / "nowhere")
    (folder / "self").symlink_to(folder / "self")
    items, faults = found(folder)
    assert keys(items) == ["p/dog.jpg"]
    assert [fault.file for fault in faults] == ["p/gone.jpg", "p/self"]
    assert {fault.step for fault in faults} == {"input"}


def test_a_pipe_is_no_picture(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "p", {"dog.jpg": b""})
    os.mkfifo(folder / "pipe.jpg")
    items, (fault,) = found(folder)
    assert keys(items) == ["p/dog.jpg"]
    assert (fault.file, fault.step) == ("p/pipe.jpg", "read")


def test_a_folder_may_have_a_pictures_name(tmp_path: Path) -> None:
    folder = make_folder(
        tmp_path / "p", {"a.jpg/b.jpg": b"", "b.jpg.json/c.jpg": b"", "b.jpg": b""}
    )
    items, faults = found(folder)
    # The annotations of b.jpg go to p/b.jpg.json, where no folder may be.
    assert keys(items) == ["p/b.jpg", "p/a.jpg/b.jpg", "p/b.jpg%2Ejson/c.jpg"]
    assert not faults


def test_names_that_are_no_text_have_keys_of_their_own(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "p", {})
    for name in (b"\xe9.jpg", b"\xe8.jpg", b"%E9.jpg", "é.jpg".encode()):
        (folder / os.fsdecode(name)).write_bytes(name)
    items, _ = found(folder)
    assert keys(items) == ["p/%25E9.jpg", "p/é.jpg", "p/%E8.jpg", "p/%E9.jpg"]
    assert [item.picture.read() for item in items][2:] == [b"\xe8.jpg", b"\xe9.jpg"]
    assert items[3].file_name == "\ufffd.jpg"


def test_a_thousand_folders_deep(tmp_path: Path) -> None:
    levels = [tmp_path / "p" / ("a/" * depth) for depth in range(1100)]
    for level in levels:
        level.mkdir()
    picture = levels[-1] / "x.jpg"
    picture.write_bytes(b"deep")
    (item,), faults = found(tmp_path / "p")
    assert not faults
    assert item.picture.read() == b"deep"
    assert len(item.key) <= 1000
    # Deeper than pytest's own cleaning goes.
    picture.unlink()
    for level in reversed(levels[1:]):
        level.rmdir()


@contextmanager
def without_privileges() -> Iterator[None]:
    """The administrator may read anything, so for a moment be somebody else; others are so anyway."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_what_may_not_be_read_is_a_fault_and_the_rest_goes_on() -> None:
    # Not in pytest's folders: these are closed to others.
    with tempfile.TemporaryDirectory() as name:
        folder = make_folder(Path(name) / "p", {"a/x.jpg": b"", "b/y.jpg": b"", "c.jpg": b""})
        Path(name).chmod(0o755)
        (folder / "a").chmod(0)
        try:
            with without_privileges():
                items, (fault,) = found(folder)
        finally:
            (folder / "a").chmod(0o755)
    assert keys(items) == ["p/c.jpg", "p/b/y.jpg"]
    assert (fault.file, fault.step) == ("p/a/", "input")
    assert "Permission denied" in fault.message


def test_a_file_that_vanishes_meanwhile_is_a_fault(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "p", {"a.jpg": b"", "b.jpg": b"", "c.jpg": b""})
    items = find_items([folder], None, tmp_path / "out")
    assert next(items).key == "p/a.jpg"
    (folder / "b.jpg").unlink()
    fault, item = items
    assert isinstance(fault, Fault)
    assert (fault.file, fault.step) == ("p/b.jpg", "read")
    assert item.key == "p/c.jpg"


def test_sa1b_in_one_folder_and_plain_pictures_in_the_next(tmp_path: Path) -> None:
    folder = make_folder(
        tmp_path / "p",
        {
            "sa/sa_1.jpg": b"one",
            "sa/sa_1.json": MASKS,
            "plain/dog.jpg": b"",
            "plain/dog.json": b'{"caption": "a dog"}',
            "plain/alone.json": MASKS,
        },
    )
    items, faults = found(folder)
    assert keys(items) == ["p/plain/dog.jpg", "p/sa/sa_1"]
    assert not faults
    assert items[0].masks is None
    assert items[1].masks == Blob(folder / "sa" / "sa_1.json", 0, len(MASKS))
    assert items[1].file_name == "sa/sa_1.jpg"
