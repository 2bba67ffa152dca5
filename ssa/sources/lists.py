"""Files that list pictures, folders and tars, one path a line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a list: its number from 1, what it says, and the path it means.

    ``name`` is the path inside the list's folder; one from elsewhere is whole, from "/" on.
    """

    line: int
    text: str
    name: str
    folder: Path

    @property
    def path(self) -> Path:
        """Where the entry is."""
        return self.folder / self.name


def entries_of(path: Path) -> Iterator[Entry]:
    """What a list names, in its order and each once. Raises ``OSError``.

    Relative paths are meant from the list's folder on. Blank lines and those that begin with "#" are
    passed over. The list may be long: of each line eight bytes are held, and those that come twice.
    """
    repeated, seen = _repeated(path), set[str]()
    for entry in _all_entries(path):
        if hash(entry.name) in repeated:
            if entry.name in seen:
                continue
            seen.add(entry.name)
        yield entry


def _repeated(path: Path) -> set[int]:
    """Hashes of the entries that come more than once, and of a few others by chance."""
    hashes = np.sort(np.fromiter((hash(entry.name) for entry in _all_entries(path)), np.int64))
    return set(hashes[1:][hashes[1:] == hashes[:-1]].tolist())


def _all_entries(path: Path) -> Iterator[Entry]:
    folder, prefix = path.parent, os.path.join(path.parent, "")
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            # A name may hold bytes that are no text; some editors begin a file with a mark.
            text = os.fsdecode(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)
            text = text.rstrip("\r\n")
            if text.strip() and not text.startswith("#"):
                yield Entry(number, text, _tidy(text).removeprefix(prefix), folder)


def _tidy(text: str) -> str:
    """A path written in one way only; "x/.." stays, since it is not always nothing where x is a link."""
    odd = "//" in text or "./" in text or text.endswith(("/", "/."))
    # This is slow, and few paths need it.
    return str(Path(text)) if odd else text
