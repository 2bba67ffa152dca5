"""One piece of work: a picture somewhere, perhaps with masks, and the name its annotations will have."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes somewhere: ``size`` of them from ``offset`` on in a file, which may be a tar.

    The path is absolute, so that any process may read them.
    """

    path: Path
    offset: int
    size: int

    @classmethod
    def of_file(cls, path: Path) -> Blob:
        """All of a file. Raises ``OSError`` where there is none: reading a pipe might never end."""
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise OSError("no file, but a folder, a pipe or a device")
        return cls(path, 0, status.st_size)

    @property
    def is_file(self) -> bool:
        """Whether it is a file of its own; one in a tar comes after its head."""
        return self.offset == 0

    def read(self) -> bytes:
        """The bytes. Raises ``OSError`` where they can't be read, ``EOFError`` where the file ends before."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            data = file.read(self.size)
        if len(data) != self.size:
            raise EOFError(f"expected {self.size} bytes; got {len(data)}; the file was cut short")
        return data


@dataclass(frozen=True, slots=True)
class Item:
    """A picture to annotate.

    ``key`` names its outputs: a relative path with "/" that is safe under any folder, unique among all
    items of a run, and the same in every run with the same inputs in the same order. ``file_name`` is
    the picture's name inside its source, as its owner wrote it. ``masks`` is SA-1B JSON with given masks,
    None where masks are to be found.
    """

    key: str
    file_name: str
    picture: Blob
    masks: Blob | None = None

    @property
    def name(self) -> str:
        """What to call it in a message: its source, unless it is one itself, and its own name."""
        source, inside, _ = self.key.partition("/")
        return f"{source}/{self.file_name}" if inside else self.file_name
