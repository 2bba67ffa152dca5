"""The ledger's file: its tables, transactions that hold on a full disk too, and items as rows."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from ssa.sources import Item
from ssa.sources.item import Blob

_TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS faults (file TEXT NOT NULL, step TEXT NOT NULL, message TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS items (
    key TEXT PRIMARY KEY,
    grp INTEGER NOT NULL,
    file_name TEXT NOT NULL,
    blobs TEXT NOT NULL,
    listing INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0,
    made_by TEXT,
    labels TEXT,
    masks INTEGER,
    step TEXT,
    message TEXT
);
CREATE TABLE IF NOT EXISTS documents (key TEXT PRIMARY KEY, document BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS work ON items (listing, state, grp);
"""


def open_database(path: Path) -> sqlite3.Connection:
    """Open the file at ``path``, or begin one. Raises ``sqlite3.Error`` where that can't be."""
    db = sqlite3.connect(path, isolation_level=None)
    # A rollback journal and not a write-ahead log: that works on network file systems too.
    db.execute("PRAGMA journal_mode=TRUNCATE")
    db.executescript(_TABLES)
    return db


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open a file that is there, and change nothing. Raises ``sqlite3.Error`` where that can't be."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)


class Transaction:
    """All of a block or nothing."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self._db.execute("COMMIT" if kind is None else "ROLLBACK")
        except sqlite3.Error:
            if self._db.in_transaction:  # A full disk may refuse the commit and leave it open.
                self._db.execute("ROLLBACK")
            if kind is None:
                raise


def packed(item: Item) -> str:
    """Where an item's bytes are, as ASCII: names of files may hold what is no valid text."""
    blobs = (item.picture, item.masks)
    return json.dumps([one and [str(one.path), one.offset, one.size] for one in blobs])


def unpacked(blobs: str) -> tuple[Blob, Blob | None]:
    """Where an item's picture and its masks, if there are any, are: what ``packed`` made of them."""
    picture, masks = json.loads(blobs)
    return _blob(picture), None if masks is None else _blob(masks)


def _blob(fields: Any) -> Blob:
    return Blob(Path(fields[0]), fields[1], fields[2])


def item_of(key: str, file_name: str, blobs: str) -> Item:
    """A row of the table of items as an item."""
    return Item(key, file_name, *unpacked(blobs))
