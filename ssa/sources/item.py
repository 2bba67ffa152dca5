"""One piece of work: a picture somewhere, perhaps with masks, and the name its annotations will have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes somewhere: ``size`` of them from ``offset`` on in a file, which may be a tar."""

    path: Path
    offset: int
    size: int

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
    items of a run and the same in every run. ``file_name`` is the picture's name inside its source, as its
    owner wrote it. ``masks`` is SA-1B JSON with given masks, None where masks are to be found.
    """

    key: str
    file_name: str
    picture: Blob
    masks: Blob | None = None
