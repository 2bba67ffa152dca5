"""Pictures with regions as files of other tools have them, and which of our pictures each of them is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from ssa.errors import Fault
from ssa.types import RLE

# What Label Studio puts before the name of a file that was uploaded to it.
_UPLOADED = re.compile(r"^[0-9a-f]{8}-(?=.)")


@dataclass(frozen=True, slots=True)
class ForeignRegion:
    """A region: its mask, its label (None for none or a blank one), and our id where the file still has it.

    ``number`` is what the file itself calls it, where that is a number; ``score`` what it thinks of it.
    """

    mask: RLE
    label: str | None = None
    region: str | None = None
    number: int | None = None
    score: float = 1.0


@dataclass(frozen=True, slots=True)
class ForeignPicture:
    """A picture that the file speaks of, by the name that it has there; sizes in pixels.

    A file may not say the size of a picture without regions: None.
    """

    name: str
    size_hw: tuple[int, int] | None
    regions: tuple[ForeignRegion, ...]


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """All pictures that could be read, and what was wrong with the others: none is read in part."""

    pictures: tuple[ForeignPicture, ...]
    faults: tuple[Fault, ...] = ()


class PictureNames:
    """Finds our pictures by what others call them: by as much of the end of a path as is theirs alone."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """``names`` are our pictures' names, paths with "/", and what each stands for."""
        self._ends: dict[str, str | None] = {}
        for name, meant in names.items():
            for end in _ends(name):
                known = self._ends.setdefault(end, meant)
                if known != meant:
                    self._ends[end] = None
        # A whole name is never ambiguous, whatever other names end with it.
        self._ends |= names

    def find(self, name: str) -> str | None:
        """What the picture called ``name``, a path or a URL, stands for; None where none or several fit."""
        for end in _ends(_path_in(name)):
            if end in self._ends:
                return self._ends[end]
        folder, slash, last = _path_in(name).rpartition("/")
        stripped = _UPLOADED.sub("", last)
        return self.find(folder + slash + stripped) if stripped != last else None


def _ends(path: str) -> list[str]:
    """A path, and what is left of it without its first folder, its first two, and so on."""
    parts = path.split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]


def _path_in(name: str) -> str:
    """The path that a URL speaks of: Label Studio's local storage has it behind "?d="."""
    if "://" not in name and not name.startswith("/data/"):
        return name
    parts = urlsplit(name)
    within = parse_qs(parts.query).get("d")
    return within[0] if within else unquote(parts.path)
