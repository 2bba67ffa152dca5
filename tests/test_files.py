"""Whole files: there is the old one or the new one, and nothing of a failure."""

import os
import tempfile
from pathlib import Path

import pytest

from ssa.files import hold, link_whole, locked, whole_file, write_whole


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file"
    with whole_file(path) as file:
        file.write(b"first ")
        assert not path.exists()
        file.write(b"second")
    assert path.read_bytes() == b"first second"
    assert [one.name for one in path.parent.iterdir()] == ["file"]


def fail_half_way(path: Path) -> None:
    with whole_file(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt


def test_a_failure_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")
    with pytest.raises(KeyboardInterrupt):
        fail_half_way(path)
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_what_a_killed_writer_left_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with whole_file(path):
        (left,) = tmp_path.iterdir()
    left.write_bytes(b"left behind, and longer than what comes")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("name", ["x" * 255, "ü" * 127, "with space", "a.json"])
def test_names_of_any_length_that_fits(tmp_path: Path, name: str) -> None:
    write_whole(tmp_path / name, b"data")
    assert (tmp_path / name).read_bytes() == b"data"


def test_a_link_takes_the_place_of_a_file_and_not_of_a_folder(tmp_path: Path) -> None:
    link, folder = tmp_path / "new" / "link", tmp_path / "folder"
    for name in ("a", "a", "b"):
        (tmp_path / name).write_text(name)
        link_whole(link, tmp_path / name)
        assert link.samefile(tmp_path / name)
        assert list(link.parent.iterdir()) == [link]
    (folder / "x").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        link_whole(folder, tmp_path / "a")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "folder", "new"]


def test_what_a_symbolic_link_leads_to_is_linked(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    for path in (tmp_path / "new", tmp_path / "link"):
        link_whole(path, tmp_path / "link")
        assert path.read_text() == "a"
        assert path.stat().st_nlink > 1
    assert not (tmp_path / "new").is_symlink()


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a second file system")
def test_across_file_systems_a_link_is_symbolic(tmp_path: Path) -> None:
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as there:
        if os.stat(there.name).st_dev == tmp_path.stat().st_dev:
            pytest.skip("needs a second file system")
        for _ in range(2):
            link_whole(tmp_path / "link", Path(there.name))
            assert os.readlink(tmp_path / "link") == there.name


def test_a_file_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as first, (tmp_path / "lock").open("w") as second:
        assert hold(first.fileno())
        assert not hold(second.fileno())
        first.close()
        assert hold(second.fileno())


def test_a_locked_file_is_free_again_when_the_block_ends(tmp_path: Path) -> None:
    with (tmp_path / "file").open("ab") as ours, (tmp_path / "file").open("ab") as theirs:
        with locked(ours.fileno()):
            assert not hold(theirs.fileno())
        assert hold(theirs.fileno())
