"""The ledger's file: items come back from their rows, a block is written whole or not at all."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from ssa.dataset.database import Transaction, item_of, open_database, packed
from ssa.sources import Blob, Item

PICTURE, MASKS = Blob(Path("a/b.jpg"), 0, 12), Blob(Path("masks.tar"), 512, 7)


@pytest.mark.parametrize("name", ["b.jpg", "größe.png", "a 'quoted' \"one\".tif", "bad\udcff.jpg"])
@pytest.mark.parametrize("masks", [None, MASKS])
def test_an_item_comes_back_from_its_row(name: str, masks: Blob | None) -> None:
    item = Item("key", "b.jpg", Blob(Path("folder") / name, 3, 12), masks)
    row = packed(item)
    assert row.isascii()
    assert item_of("key", "b.jpg", row) == item


def facts(path: Path) -> list[tuple[str, str]]:
    db = open_database(path)
    try:
        return list(db.execute("SELECT name, value FROM facts ORDER BY name"))
    finally:
        db.close()


def test_a_block_that_ends_well_is_there_for_the_next_who_opens_the_file(tmp_path: Path) -> None:
    db = open_database(tmp_path / "ledger")
    with Transaction(db):
        db.execute("INSERT INTO facts VALUES ('a', '1'), ('b', '2')")
    db.close()
    assert facts(tmp_path / "ledger") == [("a", "1"), ("b", "2")]


def write_twice(db: sqlite3.Connection) -> None:
    with Transaction(db):
        db.execute("INSERT INTO facts VALUES ('a', '1')")
        db.execute("INSERT INTO facts VALUES ('a', '2')")


def test_a_block_that_fails_leaves_nothing(tmp_path: Path) -> None:
    db = open_database(tmp_path / "ledger")
    with pytest.raises(sqlite3.IntegrityError):
        write_twice(db)
    with Transaction(db):  # and the next block may begin
        db.execute("INSERT INTO facts VALUES ('c', '3')")
    db.close()
    assert facts(tmp_path / "ledger") == [("c", "3")]


def test_a_place_where_no_file_can_be_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.Error):
        open_database(tmp_path / "missing" / "ledger")
