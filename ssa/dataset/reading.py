"""A folder of results as one who only reads it sees it: without its lock, so that runs and exports go on."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ssa.dataset.database import open_to_read
from ssa.dataset.examples import example_in, judged
from ssa.dataset.ledger import DONE, Done, done_of
from ssa.dataset.output import check_results
from ssa.errors import InputError
from ssa.formats.example import Example
from ssa.formats.table import ALWAYS
from ssa.labelling.confidence import FILE, Confidence, read_confidence
from ssa.sources.item import Blob


@dataclass(frozen=True, slots=True)
class Results:
    """The pictures that were done when the folder was looked at, in the order of their keys.

    ``confidence`` was fitted for the folder, if any was.
    """

    root: Path
    pictures: tuple[Done, ...]
    confidence: Confidence | None = None

    @property
    def folder(self) -> str:
        """16 digits that stand for the folder's path."""
        path = os.fsencode(self.root.resolve())
        return hashlib.sha256(path).hexdigest()[:16]

    @property
    def keys(self) -> tuple[str, ...]:
        """The pictures' keys."""
        return tuple(one.key for one in self.pictures)

    def picture(self, number: int) -> Blob:
        """Where the picture's own bytes were when it was listed."""
        return self.pictures[number].picture

    def example(self, number: int) -> Example:
        """A picture's annotations, from its file. Raises ``InputError`` where that can't be read."""
        one = self.pictures[number]
        path = self.root / ALWAYS.folder / f"{one.key}.json"
        try:
            return judged(example_in(path.read_bytes(), one), self.confidence)
        except OSError as error:
            raise InputError(
                f"expected the annotations of {one.key} to be readable; got: {error.strerror}; put the file "
                "back, or annotate the picture again"
            ) from error


def results_in(root: Path) -> Results:
    """What runs have written to the folder. Raises ``InputError`` where that can't be read."""
    check_results(root)
    try:
        with closing(open_to_read(root / ".ssa" / "ledger.sqlite")) as db:
            rows = db.execute(
                "SELECT key, file_name, labels, blobs FROM items WHERE state = ? ORDER BY key",
                (DONE,),
            )
            pictures = tuple(done_of(*row) for row in rows)
    except sqlite3.Error as error:
        raise InputError(
            f"expected the ledger of {root.name} to be readable; got: {error}; if a run was killed there, "
            "run the same command once more"
        ) from error
    return Results(root, pictures, read_confidence(root / FILE))
