"""Tars as SA-1B and WebDataset come in: whole, cut anywhere, damaged, and with strange names."""

from __future__ import annotations

import gzip
import os
import tarfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ssa.errors import Fault
from ssa.sources.tars import MOST_ZEROS_BEHIND, sample_of
from tests.sources.made_up import MASKS, METADATA, found, keys, make_folder, make_tar, sa1b

FORMATS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]


def published(*numbers: int) -> dict[str, bytes]:
    return {f"./{name}": data for name, data in sa1b(*numbers).items()}


@pytest.mark.parametrize("tar_format", FORMATS)
def test_a_tar_gives_what_its_folder_gives(tmp_path: Path, tar_format: int) -> None:
    folder = make_folder(tmp_path / "sa_000000", sa1b(3, 20, 1))
    tar = make_tar(tmp_path / "sa_000000.tar", published(3, 20, 1), tar_format)
    (from_folder, _), (from_tar, faults) = found(folder), found(tar)
    assert not faults
    assert keys(from_tar) == keys(from_folder) == [f"sa_000000/sa_{i}" for i in (1, 20, 3)]
    for ours, theirs in zip(from_tar, from_folder, strict=True):
        assert ours.file_name == theirs.file_name
        assert ours.picture.read() == theirs.picture.read()
        assert ours.masks is not None
        assert ours.masks.path == tar
        assert ours.masks.read() == MASKS


def test_the_order_of_members_doesnt_matter(tmp_path: Path) -> None:
    files = list(published(*range(12)).items())
    results = []
    for place, order in enumerate((files, files[::-1], files[::2] + files[1::2])):
        (tmp_path / str(place)).mkdir()
        tar = make_tar(tmp_path / str(place) / "sa.tar", order)
        results.append([(item.key, item.picture.read()) for item in found(tar)[0]])
    assert results[0] == results[1] == results[2]
    assert len(results[0]) == 12


def test_a_shard_of_webdataset_without_masks(tmp_path: Path) -> None:
    files = {
        "000/a.jpg": b"a",
        "000/a.json": METADATA,
        "000/a.cls": b"7",
        "000/b.seg.png": b"b",
        "000/b.txt": b"a caption",
    }
    items, faults = found(make_tar(tmp_path / "train-0001.tar", files))
    assert keys(items) == ["train-0001/000/a.jpg", "train-0001/000/b.seg.png"]
    assert not faults
    assert [item.picture.read() for item in items] == [b"a", b"b"]


@pytest.mark.parametrize(
    ("name", "sample"),
    [("a/b.c/d.e.jpg", "a/b.c/d"), ("d.json", "d"), ("a.b/c", "a.b/c"), ("./x.jpg", "./x")],
)
def test_a_sample_is_all_up_to_the_first_dot(name: str, sample: str) -> None:
    assert sample_of(name) == sample


@pytest.mark.parametrize("tar_format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_foreign_names_come_through(tmp_path: Path, tar_format: int) -> None:
    names = ["ä" * 120 + ".jpg", "苹果/" * 60 + "x.jpg", "with space.jpg", os.fsdecode(b"\xe9.jpg")]
    items, faults = found(
        make_tar(
            tmp_path / "t.tar",
            {name: name.encode("utf-8", "replace") for name in names},
            tar_format,
        )
    )
    assert not faults
    assert len(set(keys(items))) == 4
    assert {item.picture.read() for item in items} == {
        name.encode("utf-8", "replace") for name in names
    }
    assert "t/with space.jpg" in keys(items)
    assert "t/%E9.jpg" in keys(items)


def test_no_name_leads_out_of_the_output(tmp_path: Path) -> None:
    names = ["../x.jpg", "../../../etc/x.jpg", "/etc/x.jpg", "a/../../x.jpg", "x.jpg", "a//x.jpg"]
    items, faults = found(make_tar(tmp_path / "t.tar", dict.fromkeys(names, b"")))
    assert not faults
    assert len(set(keys(items))) == 6
    for key in keys(items):
        assert os.path.normpath(f"/out/{key}") == f"/out/{key}"
        assert key.startswith("t/")


def test_hidden_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    names = ["._a.jpg", "./.x/b.jpg", "__MACOSX/._a.jpg", "a.jpg", "a.txt"]
    items, faults = found(make_tar(tmp_path / "t.tar", dict.fromkeys(names, b"")))
    assert (keys(items), faults) == (["t/a.jpg"], [])


def test_a_name_that_comes_twice_is_a_fault(tmp_path: Path) -> None:
    files = [("a.jpg", b"first"), ("./a.jpg", b"second"), ("b.jpg", b"")]
    items, (fault,) = found(make_tar(tmp_path / "t.tar", files))
    assert keys(items) == ["t/a.jpg", "t/b.jpg"]
    assert items[0].picture.read() == b"first"
    assert (fault.file, fault.step) == ("t/a.jpg", "input")


def test_links_and_devices_are_faults_and_folders_nothing(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "t.tar", "w") as tar:
        for name, kind in (
            *(("a.jpg", tarfile.SYMTYPE), ("b.jpg", tarfile.LNKTYPE), ("c.jpg", tarfile.FIFOTYPE)),
            *(("d.jpg", tarfile.DIRTYPE), ("notes", tarfile.SYMTYPE)),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "x.jpg"
            tar.addfile(member)
        member = tarfile.TarInfo("d.jpg/x.jpg")
        member.size = 1
        tar.addfile(member, BytesIO(b"x"))
    items, faults = found(tmp_path / "t.tar")
    assert keys(items) == ["t/d.jpg/x.jpg"]
    assert [fault.file for fault in faults] == ["t/a.jpg", "t/b.jpg", "t/c.jpg"]


def test_a_sparse_file_is_a_fault_since_its_bytes_are_not_in_one_piece(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "t.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        member = tarfile.TarInfo("a.jpg")
        member.size = 2
        member.pax_headers = {"GNU.sparse.map": "0,1,900,1", "GNU.sparse.size": "1000"}
        tar.addfile(member, BytesIO(b"xy"))
    items, (fault,) = found(tmp_path / "t.tar")
    assert not items
    assert (fault.file, fault.step) == ("t/a.jpg", "input")


def check_remains(tar: Path, whole: dict[str, bytes]) -> None:
    """What is left of a tar: no item that is not whole, at most a fault a member and one for the tar."""
    items, faults = found(tar)
    assert all(item.picture.read() == whole[item.file_name] for item in items)
    assert all(item.masks is None or item.masks.read() == MASKS for item in items)
    files = [fault.file for fault in faults]
    assert files.count("t") == 1
    assert len(set(files)) == len(files)


@pytest.mark.parametrize("tar_format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_tar_that_is_cut_at_any_byte(tmp_path: Path, tar_format: int) -> None:
    # Headers of two or three parts: Unicode for the one format, a long name for the other.
    name = "ä.jpg" if tar_format == tarfile.PAX_FORMAT else "n" * 101 + ".jpg"
    pictures = {**sa1b(1), name: b"x" * 600}
    files = {f"./{name}": data for name, data in pictures.items()}
    whole = make_tar(tmp_path / "whole.tar", files, tar_format).read_bytes()
    end = len(whole.rstrip(b"\0")) // tarfile.BLOCKSIZE * tarfile.BLOCKSIZE + tarfile.BLOCKSIZE
    # From the largest down, since a file can be cut again and again but not grown.
    tar = tmp_path / "t.tar"
    tar.write_bytes(whole)
    for size in range(end + tarfile.BLOCKSIZE - 1, -1, -1):
        os.truncate(tar, size)
        check_remains(tar, pictures)


def test_a_cut_tar_gives_all_that_came_before(tmp_path: Path) -> None:
    tar = make_tar(tmp_path / "t.tar", {f"{i}.jpg": b"x" * 1000 for i in range(5)})
    # A header and two blocks of data each; the fourth picture's data is cut.
    os.truncate(tar, 3 * 3 * 512 + 512 + 100)
    items, faults = found(tar)
    assert keys(items) == ["t/0.jpg", "t/1.jpg", "t/2.jpg"]
    assert [fault.file for fault in faults] == ["t/3.jpg", "t"]
    assert "1000 bytes" in faults[0].message
    # Between two pictures nothing but the missing end tells.
    os.truncate(tar, 3 * 3 * 512)
    items, (fault,) = found(tar)
    assert len(items) == 3
    assert "without the mark of an end" in fault.message


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 255)), min_size=1, max_size=20))
def test_a_damaged_tar_never_raises(tmp_path: Path, damage: list[tuple[int, int]]) -> None:
    data = bytearray(make_tar(tmp_path / "t.tar", published(1, 2)).read_bytes())
    for place, value in damage:
        data[place] = value
    (tmp_path / "t.tar").write_bytes(data)
    items, faults = found(tmp_path / "t.tar")
    assert items or faults
    for item in items:
        item.picture.read()


def test_a_header_that_leads_back_ends_the_reading(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "t.tar", "w", format=tarfile.GNU_FORMAT) as tar:
        for size in (0, -1024):
            member = tarfile.TarInfo("a.jpg" if size == 0 else "b.jpg")
            member.size = size
            tar.addfile(member)
    items, faults = found(tmp_path / "t.tar")
    assert keys(items) == ["t/a.jpg"]
    assert [fault.file for fault in faults] == ["t"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no tar",
        b"no tar at all, but longer than a header" * 50,
        gzip.compress(os.urandom(2000)),
    ],
)
def test_what_is_no_tar_is_one_fault(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "t.tar").write_bytes(data)
    items, (fault,) = found(tmp_path / "t.tar")
    assert not items
    assert (fault.file, fault.step) == ("t", "input")
    assert "tar" in fault.message


def test_two_tars_in_one_file_are_not_taken_for_one(tmp_path: Path) -> None:
    first = make_tar(tmp_path / "a.tar", {"a.jpg": b""}).read_bytes()
    second = make_tar(tmp_path / "b.tar", {"b.jpg": b""}).read_bytes()
    (tmp_path / "t.tar").write_bytes(first + second)
    items, (fault,) = found(tmp_path / "t.tar")
    assert keys(items) == ["t/a.jpg"]
    assert "other data" in fault.message


def test_a_download_that_reserved_its_room_and_stopped(tmp_path: Path) -> None:
    tar = make_tar(tmp_path / "t.tar", published(1))
    assert not found(tar)[1]
    os.truncate(tar, tar.stat().st_size + MOST_ZEROS_BEHIND)
    items, (fault,) = found(tar)
    assert len(items) == 1
    assert fault.step == "input"


def test_an_empty_tar_is_a_fault(tmp_path: Path) -> None:
    items, faults = found(make_tar(tmp_path / "t.tar", {"notes.txt": b""}))
    assert not items
    assert faults == [Fault("t", "input", "expected pictures in this tar; got none")]


def test_a_tar_of_thousands_of_members_is_read_by_its_headers(tmp_path: Path) -> None:
    """A tar of SA-1B's shape: 22,000 members; their data is a hole in the file."""
    tar = tmp_path / "sa_000001.tar"
    size = 1 << 20
    with tar.open("wb") as file:
        for number in range(11_000):
            for suffix, length in (("jpg", size), ("json", len(MASKS))):
                member = tarfile.TarInfo(f"./sa_{number}.{suffix}")
                member.size = length
                file.write(member.tobuf())
                start = file.tell()
                if suffix == "json":
                    file.write(MASKS)
                file.seek(start + -(-length // 512) * 512)
        file.truncate(file.tell() + 1024)
    assert tar.stat().st_size > 11_000 * size
    items, faults = found(tar)
    assert len(items) == 11_000
    assert not faults
    assert all(item.masks and item.picture.size == size for item in items)
    assert keys(items) == sorted(keys(items))
    tar.unlink()
