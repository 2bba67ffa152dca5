"""JSON too long for memory: rows go to disk as they come, and the file appears whole."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from types import MappingProxyType
from typing import IO, Any

from ssa.files import whole_file


class Rows:
    """A JSON list that grows by one row at a time, written to a file and not kept."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._separator = b"\n"

    def add(self, row: object) -> None:
        """Write a row of plain values. Raises ``ValueError`` for a number that is not finite."""
        text = json.dumps(row, allow_nan=False, separators=(",", ":"))
        self._file.write(self._separator + text.encode("ascii"))
        self._separator = b",\n"


@contextmanager
def json_list(path: Path) -> Iterator[Rows]:
    """A file that is one JSON list, a row a line; it becomes ``path`` when the block ends well."""
    with whole_file(path) as file:
        file.write(b"[")
        yield Rows(file)
        file.write(b"\n]\n")


@contextmanager
def json_lists(
    path: Path, *names: str, head: Mapping[str, Any] = MappingProxyType({})
) -> Iterator[tuple[Rows, ...]]:
    """A file that is one JSON object of lists, whose rows may come in turn; see ``json_list``.

    The first list goes straight to its place, so name the longest first; each other waits in a file
    without a name beside it and is copied behind it at the end. Names are plain ASCII. What
    ``head`` holds, plain values by name, comes before them, a line each.
    """
    with whole_file(path) as file, ExitStack() as stack:
        beside = [stack.enter_context(TemporaryFile(dir=path.parent)) for _ in names[1:]]
        file.write(b"{")
        for name, value in head.items():
            file.write(f'"{name}":{json.dumps(value, allow_nan=False)},\n'.encode("ascii"))
        file.write(b'"%s":[' % names[0].encode("ascii"))
        yield tuple(Rows(part) for part in (file, *beside))
        for name, part in zip(names[1:], beside, strict=True):
            file.write(b'\n],\n"%s":[' % name.encode("ascii"))
            part.seek(0)
            shutil.copyfileobj(part, file)
        file.write(b"\n]}\n")
