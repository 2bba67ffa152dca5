"""The folder of results: one run at a time, every file whole, nothing of anybody else's overwritten.

DIR/annotations/<key>.json   one file a picture, in the manner of SA-1B
DIR/<format>/                what other formats make of them
DIR/categories.json          the numbers of all labels, for formats that count classes
DIR/errors.jsonl             one row a fault
DIR/.ssa/                    the ledger and the lock
"""

from __future__ import annotations

import errno
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import chain
from pathlib import Path

from ssa.dataset.identity import Identity
from ssa.dataset.ledger import Ledger
from ssa.dataset.outcomes import Failed, GroupDone
from ssa.errors import Fault, InputError, OutputError
from ssa.files import hold, sync_folder, whole_file, write_whole
from ssa.formats.table import ALWAYS
from ssa.sources.folders import is_output

# What is wrong with one name is that picture's fault; anything else is the folder's.
_BAD_NAME = {
    *(errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.EINVAL, errno.EILSEQ)
}


class OutputFolder:
    """An output folder that this process alone may write to; use ``opened``."""

    def __init__(self, root: Path, ledger: Ledger) -> None:
        self.root = root
        self.ledger = ledger

    @property
    def categories_file(self) -> Path:
        """Where the numbers of labels are."""
        return self.root / "categories.json"

    @property
    def errors_file(self) -> Path:
        """Where the faults are."""
        return self.root / "errors.jsonl"

    def annotation_file(self, key: str) -> Path:
        """Where a picture's annotations are, or will be."""
        return self.root / ALWAYS.folder / f"{key}.json"

    def is_written(self, key: str) -> bool:
        """Whether a picture's annotations are there."""
        return self.annotation_file(key).is_file()

    def recover(self) -> None:
        """Write what a run that was killed had kept but not yet written."""
        self._write(self.ledger.kept())

    def keep(self, done: GroupDone, identity: Identity) -> list[Fault]:
        """Keep what came of a group, and write its files. The faults, those of writing among them."""
        self.ledger.keep(done.outcomes, identity.digest, identity.text)
        faults = [one.fault for one in done.outcomes if isinstance(one, Failed)]
        return faults + self._write(self.ledger.kept())

    def write_faults(self, more: Iterable[Fault] = ()) -> int:
        """Write ``errors.jsonl`` anew: the ledger's faults and then ``more``. How many there are."""
        count = 0
        with whole_file(self.errors_file) as file:
            for one in chain(self.ledger.faults(), more):
                file.write(json.dumps(asdict(one)).encode("ascii") + b"\n")
                count += 1
        return count

    def _write(self, keys: list[str]) -> list[Fault]:
        faults, written = [], []
        for key in keys:
            try:
                write_whole(self.annotation_file(key), self.ledger.document(key))
                written.append(key)
            except OSError as error:
                if error.errno not in _BAD_NAME:
                    raise
                faults.append(
                    Fault(key, "write", f"expected a name that fits; got {error.strerror}")
                )
                self.ledger.fail(key, faults[-1])
        if written:
            self._sync_folders(written)
            self.ledger.settle(written)
        return faults

    def _sync_folders(self, keys: list[str]) -> None:
        """Before the ledger lets go of documents, their files must be there to stay, whatever happens."""
        parents = {parent for key in keys for parent in self.annotation_file(key).parents}
        for folder in parents - set(self.root.parents):
            sync_folder(folder)


@contextmanager
def opened(root: Path) -> Iterator[OutputFolder]:
    """The folder at ``root`` for this process alone, made if it isn't there.

    Raises ``InputError`` for a folder with other things in it, ``OutputError`` where another run uses it or
    it can't be written to. An error of the disk inside the block becomes an ``OutputError`` too.
    """
    with _errors_told(root):
        _check_ours(root)
        own = root / ".ssa"
        own.mkdir(parents=True, exist_ok=True)
        with (own / "lock").open("ab") as lock:
            _take(lock.fileno(), root)
            ledger = Ledger(own / "ledger.sqlite")
            try:
                yield OutputFolder(root, ledger)
            finally:
                ledger.close()


def check_results(root: Path) -> None:
    """Raise ``InputError`` unless a run has written its results to the folder ``root``."""
    if not is_output(root):
        raise InputError(
            f"expected a folder with results of `ssa annotate`; got {root}, which is none; check the name"
        )


def _check_ours(root: Path) -> None:
    if root.exists() and not root.is_dir():
        raise InputError(f"--out must be a folder; got a file, {root.name}; name another")
    if root.is_dir() and not (root / ".ssa").is_dir() and any(root.iterdir()):
        raise InputError(
            f"--out must be a new folder, an empty one or one of an earlier run; got {root.name} with "
            "other files in it; name another"
        )


def _take(lock: int, root: Path) -> None:
    if not hold(lock):
        raise OutputError(
            f"another run is writing to {root.name}; wait for it, or name another --out"
        )


@contextmanager
def _errors_told(root: Path) -> Iterator[None]:
    try:
        yield
    except OutputError:
        raise
    except (OSError, sqlite3.Error) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise OutputError(
            f"the run in {root.name} had to stop: {said or error}; nothing that was done is lost: put that "
            "right and run the same command again"
        ) from error
