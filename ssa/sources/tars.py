"""Tars, as SA-1B and WebDataset come in: only headers are read, pictures stay where they are."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ssa.errors import Fault
from ssa.sources.item import Blob, Item
from ssa.sources.names import is_hidden, printable
from ssa.sources.pairing import MaskOrigin, Place, fault, items_in, wanted

# A tar ends with zeros, as many as fill its last record. More of them is a download that stopped.
MOST_ZEROS_BEHIND = 1 << 20
_AGAIN = "; fetch it again"


def tar_items(path: Path, source: str, masks: MaskOrigin) -> Iterator[Item | Fault]:
    """The items in an uncompressed tar, by name, then what is wrong with the tar.

    Files whose paths are equal up to the first dot of their last part belong together, as in WebDataset.
    The tar's own faults, one at most, and one for each file in it that can't be used, come last.
    """
    index = _Index(path, source, masks)
    index.read()
    yield from items_in(Place(source, list(index.blobs), index.blobs.__getitem__, sample_of), masks)
    if not (index.blobs or index.faults):
        yield Fault(printable(source), "input", "expected pictures in this tar; got none")
    yield from index.faults


def sample_of(name: str) -> str:
    """What a path has in common with the others of its sample: all before its last part's first dot."""
    folder, slash, base = name.rpartition("/")
    return folder + slash + base.partition(".")[0]


class _Index:
    """Where in a tar each picture and JSON is."""

    def __init__(self, path: Path, source: str, masks: MaskOrigin) -> None:
        self.blobs: dict[str, Blob] = {}
        self.faults: list[Fault] = []
        self._path, self._source, self._masks = path, source, masks
        self._size = 0

    def read(self) -> None:
        """Read all headers; what is wrong is added to the faults, whatever it is."""
        try:
            with self._path.open("rb") as file:
                self._size = os.fstat(file.fileno()).st_size
                self._read_headers(file)
        # A damaged header may make the library raise anything.
        except Exception as error:
            message = f"expected a whole, uncompressed tar; got one that fails: {error}{_AGAIN}"
            self.faults.append(Fault(printable(self._source), "input", message))

    def _read_headers(self, file: BinaryIO) -> None:
        with tarfile.open(fileobj=file, mode="r:", encoding="utf-8") as tar:
            last = 0
            while (member := tar.next()) is not None:
                # The library would follow a negative size backwards, for ever (CVE-2025-8194).
                if tar.offset <= last:
                    raise tarfile.ReadError("a header leads back")
                last = tar.offset
                # It keeps every member, of which there may be millions.
                tar.members.clear()  # type: ignore[attr-defined]
                self._add(member)
            _check_end(file, tar.offset, self._size)

    def _add(self, member: tarfile.TarInfo) -> None:
        name = _without_dot(member.name)
        if member.isdir() or not wanted(name, self._masks) or any(map(is_hidden, name.split("/"))):
            return
        if (message := self._trouble(member, name)) is not None:
            self.faults.append(fault(self._source, name, "input", message))
        else:
            self.blobs[name] = Blob(self._path, member.offset_data, member.size)

    def _trouble(self, member: tarfile.TarInfo, name: str) -> str | None:
        """Why a member can't be used; None if it can."""
        if not member.isreg() or member.issparse():
            return "expected a plain file in the tar; got a link, a sparse file or a device"
        if name in self.blobs:
            return "expected each name once in the tar; got this one again, and used the first"
        if member.offset_data + member.size > self._size:
            return f"expected {member.size} bytes; the tar ends before{_AGAIN}"
        return None


def _without_dot(name: str) -> str:
    """A path without the "./" that many tars begin each with."""
    while name.startswith("./"):
        name = name[2:]
    return name


def _check_end(file: BinaryIO, offset: int, size: int) -> None:
    """Make sure that a tar ends where its reader stopped: it does so at anything that is no header."""
    if size - offset > MOST_ZEROS_BEHIND:
        raise tarfile.ReadError(f"no header at byte {offset} of {size}")
    file.seek(offset)
    rest = file.read()
    if len(rest) < tarfile.BLOCKSIZE:
        raise tarfile.ReadError(f"it ends at byte {size} without the mark of an end")
    if rest.strip(b"\0"):
        raise tarfile.ReadError(f"no header at byte {offset}, but other data")
