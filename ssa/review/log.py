"""The file of decisions: one line of JSON each, only ever added to, and on the disk before it counts.

    {"v": 1, "n": 17, "at": "2026-01-31T12:00:00Z", "by": "page", "do": [{"what": "accepted", ...}]}
    {"v": 1, "n": 18, "at": "2026-01-31T12:00:05Z", "by": "page", "undo": 17}

A line is whole when it ends. One that doesn't was being written when its writer was killed, or the disk was
full: nobody was told that it is there, and the next who opens the file cuts it off.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from ssa.errors import InputError, OutputError
from ssa.files import locked, sync_folder
from ssa.json_fields import FieldError, integer_of, list_of, object_of, text_of
from ssa.review.decisions import Decision, from_row, to_row
from ssa.review.history import Entry, History

logger = logging.getLogger(__name__)

FILE = "decisions.jsonl"
"""The file's name in a folder of results."""

VERSION = 1


class DecisionLog:
    """A file of decisions, open to add to; ``history`` is what it says.

    Several threads may use one, and several processes may have the same file open: each sees the others'
    entries whenever it adds one, and by ``refresh``.
    """

    def __init__(self, path: Path) -> None:
        """Open the file at ``path``, or begin one.

        Raises ``OutputError`` where that can't be, ``InputError`` for a file that isn't sound.
        """
        self.history = History()
        self._path, self._thread = path, Lock()
        self._read_bytes, self._count = 0, 0
        with _told(path):
            is_new = not path.exists()
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
            if is_new:
                sync_folder(path.parent)
        try:
            self.refresh()
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def append(self, decisions: Sequence[Decision], by: str = "", request: str = "") -> Entry:
        """Add decisions as one entry, and give it once it is on the disk.

        Raises ``OutputError`` where there is no room, and then the file is as it was; ``ValueError`` for no
        decision at all.
        """
        if not decisions:
            raise ValueError("expected at least one decision; got none")
        with self._alone():
            entry = Entry(self._count + 1, _now(), by, tuple(decisions), request=request)
            self._write(entry)
        return entry

    def undo(self, by: str | None = None, request: str = "") -> Entry | None:
        """Undo the last entry in force, of one who decides or of all; None where nothing is left.

        Undoing is an entry too, which this gives. Raises ``OutputError`` as ``append`` does.
        """
        with self._alone():
            last = self.history.last(by)
            if last is None:
                return None
            who = last.by if by is None else by
            entry = Entry(self._count + 1, _now(), who, undoes=last.number, request=request)
            self._write(entry)
        return entry

    def refresh(self) -> None:
        """Take in what others have added since. Raises ``InputError`` for lines that aren't sound."""
        with self._alone():
            pass

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """The file for this thread of this process, with all its entries taken in."""
        with self._thread, _told(self._path), locked(self._file):
            self._take_in()
            # Whoever writes holds the lock: nobody is at that line any more.
            self._cut_torn_line()
            yield

    def _take_in(self) -> None:
        size = os.fstat(self._file).st_size
        if size < self._read_bytes:
            raise InputError(f"expected {self._path.name} to grow only; it was cut; start again")
        data = os.pread(self._file, size - self._read_bytes, self._read_bytes)
        for entry, stop in _entries(data, self._count, self._path.name):
            self._take(entry, stop)

    def _take(self, entry: Entry, size: int) -> None:
        self.history.take(entry)
        self._count = entry.number
        self._read_bytes += size

    def _write(self, entry: Entry) -> None:
        line = _line(entry)
        try:
            if os.write(self._file, line) != len(line):
                raise OSError("no room for a whole line")
            os.fsync(self._file)
        except BaseException:
            os.ftruncate(self._file, self._read_bytes)
            raise
        self._take(entry, len(line))

    def _cut_torn_line(self) -> None:
        torn = os.fstat(self._file).st_size - self._read_bytes
        if torn:
            logger.warning(
                "%s ended in the midst of a line, whose writer was cut short: its %d bytes were cut off",
                self._path.name,
                torn,
            )
            os.ftruncate(self._file, self._read_bytes)
            os.fsync(self._file)


def read_history(path: Path) -> History:
    """What a file of decisions says, without touching it; an empty history where there is none.

    Raises ``InputError`` for a file that isn't sound.
    """
    history = History()
    try:
        data = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise InputError(f"expected {path.name} to be readable; got: {error.strerror}") from error
    for entry, _ in _entries(data, 0, path.name):
        history.take(entry)
    return history


def _entries(data: bytes, before: int, name: str) -> Iterator[tuple[Entry, int]]:
    """The entries in whole lines after ``before`` others, each with its length in bytes.

    A last line that is no JSON was torn, too: after a power cut zeros may stand for what came late.
    """
    lines = data.split(b"\n")[:-1]
    for number, line in enumerate(lines, start=before + 1):
        try:
            payload = json.loads(line)
        except ValueError as error:
            if number == before + len(lines):
                return
            raise _damaged(name, number, "JSON") from error
        try:
            yield _entry(payload, number), len(line) + 1
        except FieldError as error:
            raise _damaged(name, number, f"a sound '{error}'") from error


def _entry(payload: object, number: int) -> Entry:
    fields = object_of(payload, "entry")
    version = integer_of(fields.get("v"), "v")
    if version != VERSION:
        raise InputError(
            f"expected decisions of version {VERSION}; got version {version}; read them with the release "
            "that wrote them, or a later one"
        )
    if integer_of(fields.get("n"), "n") != number:
        raise FieldError("n")
    at, by = text_of(fields.get("at"), "at"), text_of(fields.get("by"), "by")
    request = text_of(fields.get("request", ""), "request")
    if "undo" in fields:
        return Entry(number, at, by, undoes=integer_of(fields["undo"], "undo"), request=request)
    decisions = tuple(map(from_row, list_of(fields.get("do"), "do")))
    return Entry(number, at, by, decisions, request=request)


def _line(entry: Entry) -> bytes:
    row = {"v": VERSION, "n": entry.number, "at": entry.at, "by": entry.by}
    if entry.request:
        row["request"] = entry.request
    if entry.undoes is None:
        said = {**row, "do": [to_row(one) for one in entry.decisions]}
    else:
        said = {**row, "undo": entry.undoes}
    return json.dumps(said, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _damaged(name: str, number: int, expected: str) -> InputError:
    return InputError(
        f"expected line {number} of {name} to hold {expected}; got something else; put it right: what comes "
        "after it counts too"
    )


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (OutputError, InputError):
        raise
    except OSError as error:
        raise OutputError(
            f"{path.name} can't take more: {error.strerror or error}; what was decided before is kept"
        ) from error
