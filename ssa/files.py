"""Files that appear whole or not at all: written under another name beside their place, then renamed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

# What a killed run may leave behind has this ending; nobody else's file does.
PARTIAL = ".ssa-partial"


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write, which becomes ``path`` (and replaces what was there) when the block ends well.

    Folders that are missing are made. If the block raises, nothing of it stays. The content is on the disk
    before it has the name; that the name is there too, after a power cut, takes ``sync_folder``. One writer
    a path at a time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(_partial_name(path.name))
    try:
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_whole(path: Path, data: bytes) -> None:
    """``data`` as the file ``path``; see ``whole_file``."""
    with whole_file(path) as file:
        file.write(data)


def link_whole(path: Path, target: Path) -> None:
    """A link to the file ``target`` as ``path``, which replaces a file that was there; see ``whole_file``.

    A hard link: readers of data sets take a symbolic one that leads out of their folder for an attack. Only
    where there can be none, on another file system, it is a symbolic link.
    """
    if path.exists() and not path.is_symlink() and path.samefile(target):
        return  # renaming one name of a file to another of its names would do nothing
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(_partial_name(path.name))
    partial.unlink(missing_ok=True)
    try:
        partial.hardlink_to(target.resolve())
    except OSError:
        partial.symlink_to(target)
    try:
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def sync_folder(path: Path) -> None:
    """Bring the names of the files in a folder to the disk."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _partial_name(name: str) -> str:
    """``name`` with our ending; a name near the 255 bytes that a file may have is shortened for it."""
    room = 255 - len(PARTIAL)
    return os.fsdecode(os.fsencode(name)[:room]) + PARTIAL


def hold(file: int) -> bool:
    """Take an open file for this process, until it is closed; False where another process has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def locked(file: int) -> Iterator[None]:
    """An open file for this process alone, while the block lasts; waits for others who have it."""
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
