"""What was found, what is done, and what went wrong: one SQLite file, so that a run may die at any moment.

A picture is waiting, then kept (its annotations are in the ledger, not yet in their file), then done; or it
failed, and the next run tries again. A group of pictures is kept in one transaction. Documents leave the
ledger when their files are written, so it stays small: about a kilobyte a picture.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ssa.dataset.database import Transaction, item_of, open_database, packed, unpacked
from ssa.dataset.outcomes import Annotated, Group, Outcome
from ssa.errors import Fault
from ssa.sources import Item
from ssa.sources.item import Blob

WAITING, KEPT, DONE, FAILED = range(4)


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger has of a picture: how far it is, the file it was in, how many bytes went in."""

    state: int
    path: Path
    sizes: tuple[int, int | None]


@dataclass(frozen=True, slots=True)
class Done:
    """A picture that is done: its names, the labels in it, and where it was when it was last listed."""

    key: str
    file_name: str
    labels: tuple[str, ...]
    picture: Blob


def done_of(key: str, file_name: str, labels: str, blobs: str) -> Done:
    """A row of the table of items."""
    return Done(key, file_name, tuple(json.loads(labels)), unpacked(blobs)[0])


@dataclass(frozen=True, slots=True)
class Totals:
    """Pictures of this listing: how many there are, how many are done, with how many masks."""

    pictures: int
    done: int
    masks: int


class Ledger:
    """One run's memory on disk. Not for several threads; for one process at a time."""

    def __init__(self, path: Path) -> None:
        """Open the ledger at ``path``, or begin one. Raises ``sqlite3.Error`` where that can't be."""
        self._db = open_database(path)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def fact(self, name: str) -> str | None:
        """A remembered text."""
        row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def remember(self, name: str, value: str) -> None:
        """Remember a text by its name."""
        self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    # Listing -------------------------------------------------------------------------------------------

    def list_anew(self, found: Iterable[tuple[int, Item] | Fault]) -> None:
        """Make the given items, each with its group, the work at hand, and the given faults all there are.

        What is done stays done. All or nothing, in one transaction.
        """
        listing = self._listing + 1
        with Transaction(self._db):
            self._db.execute("DELETE FROM faults")
            for one in found:
                if isinstance(one, Fault):
                    self._db.execute(
                        "INSERT INTO faults VALUES (?, ?, ?)", (one.file, one.step, one.message)
                    )
                else:
                    self._list(listing, *one)
            self.remember("listing", str(listing))

    def _list(self, listing: int, group: int, item: Item) -> None:
        self._db.execute(
            "INSERT INTO items (key, grp, file_name, blobs, listing) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (key) DO UPDATE SET file_name = excluded.file_name, "
            "blobs = excluded.blobs, listing = excluded.listing",
            (item.key, group, item.file_name, packed(item), listing),
        )

    def known(self, key: str) -> Known | None:
        """What is on record of a picture; None for a new one."""
        row = self._db.execute("SELECT state, blobs FROM items WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        picture, masks = unpacked(row[1])
        return Known(row[0], picture.path, (picture.size, masks.size if masks else None))

    def forget_result(self, key: str) -> None:
        """Have a picture annotated again."""
        self._db.execute("UPDATE items SET state = ? WHERE key = ?", (WAITING, key))
        self._grow_revision()

    @property
    def next_group(self) -> int:
        """A number greater than those of all groups so far."""
        return int(self._db.execute("SELECT coalesce(max(grp) + 1, 0) FROM items").fetchone()[0])

    @property
    def totals(self) -> Totals:
        """How far this listing's pictures are."""
        row = self._db.execute(
            "SELECT count(*), count(CASE WHEN state = ? THEN 1 END), "
            "coalesce(sum(CASE WHEN state = ? THEN masks END), 0) FROM items WHERE listing = ?",
            (DONE, DONE, self._listing),
        ).fetchone()
        return Totals(*map(int, row))

    @property
    def _listing(self) -> int:
        return int(self.fact("listing") or 0)

    # Work ----------------------------------------------------------------------------------------------

    def work(self) -> Iterator[Group]:
        """The pictures of this listing that wait or failed before, by groups, in the listing's order."""
        open_states = (self._listing, WAITING, FAILED)
        where = "WHERE listing = ? AND state IN (?, ?)"
        # Group numbers first: what is written meanwhile must not come up a second time.
        numbers = self._db.execute(
            f"SELECT DISTINCT grp FROM items {where} ORDER BY grp", open_states
        ).fetchall()
        for (number,) in numbers:
            rows = self._db.execute(
                f"SELECT key, file_name, blobs FROM items {where} AND grp = ? ORDER BY rowid",
                (*open_states, number),
            ).fetchall()
            yield Group(number, tuple(item_of(*row) for row in rows))

    def keep(self, outcomes: Sequence[Outcome], made_by: str, identity: str = "") -> None:
        """Put on record what came of a group, with all its documents, and whose work it is, at once."""
        with Transaction(self._db):
            if any(isinstance(one, Annotated) for one in outcomes):
                self.remember("identity", identity)
                self.remember(f"identity {made_by}", identity)
            for one in outcomes:
                if isinstance(one, Annotated):
                    self._keep(one, made_by)
                else:
                    self.fail(one.key, one.fault)

    def _keep(self, one: Annotated, made_by: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO documents VALUES (?, ?)", (one.key, one.document))
        self._db.execute(
            "UPDATE items SET state = ?, made_by = ?, labels = ?, masks = ?, step = NULL, message = NULL "
            "WHERE key = ?",
            (KEPT, made_by, json.dumps(one.labels), one.masks, one.key),
        )

    def fail(self, key: str, fault: Fault) -> None:
        """Put on record that nothing came of a picture."""
        self._db.execute(
            "UPDATE items SET state = ?, step = ?, message = ? WHERE key = ?",
            (FAILED, fault.step, fault.message, key),
        )
        self._db.execute("DELETE FROM documents WHERE key = ?", (key,))

    def kept(self) -> list[str]:
        """Pictures whose documents are here and perhaps not yet in their files."""
        rows = self._db.execute("SELECT key FROM items WHERE state = ? ORDER BY rowid", (KEPT,))
        return [str(key) for (key,) in rows.fetchall()]

    def document(self, key: str) -> bytes:
        """The document of a kept picture."""
        return bytes(
            self._db.execute("SELECT document FROM documents WHERE key = ?", (key,)).fetchone()[0]
        )

    def settle(self, keys: Iterable[str]) -> None:
        """Their files are written: they are done, and their documents leave the ledger."""
        with Transaction(self._db):
            for key in keys:
                self._db.execute("UPDATE items SET state = ? WHERE key = ?", (DONE, key))
                self._db.execute("DELETE FROM documents WHERE key = ?", (key,))
            self._grow_revision()

    # Results -------------------------------------------------------------------------------------------

    @property
    def revision(self) -> int:
        """Grows whenever pictures are done, or done no longer."""
        return int(self.fact("revision") or 0)

    def _grow_revision(self) -> None:
        self.remember("revision", str(self.revision + 1))

    def done(self) -> Iterator[Done]:
        """Every picture ever done, in the order of their keys."""
        rows = self._db.execute(
            "SELECT key, file_name, labels, blobs FROM items WHERE state = ? ORDER BY key", (DONE,)
        )
        for row in rows:
            yield done_of(*row)

    def makers(self) -> dict[str, str | None]:
        """Whose work is done: digests in order, each with its identity, None where nobody noted it."""
        rows = self._db.execute(
            "SELECT DISTINCT made_by FROM items WHERE state = ? ORDER BY made_by", (DONE,)
        )
        return {digest: self.fact(f"identity {digest}") for (digest,) in rows.fetchall()}

    def faults(self) -> Iterator[Fault]:
        """What is wrong with this listing, in the order of names."""
        rows = self._db.execute(
            "SELECT file, step, message FROM faults UNION ALL "
            "SELECT substr(key, 1, instr(key, '/')) || file_name, step, message FROM items "
            "WHERE listing = ? AND state = ? ORDER BY 1, 2, 3",
            (self._listing, FAILED),
        )
        for row in rows:
            yield Fault(*row)
