"""Parquet: one row a mask, for sets too large for JSON; pyarrow, pandas, DuckDB and Spark read it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import Any

from ssa.errors import Fault, InputError
from ssa.formats.categories import Categories
from ssa.formats.converting import each_converted, in_order
from ssa.formats.example import Example

Row = dict[str, Any]


def write_parquet(examples: Iterable[Example], folder: Path, categories: Categories) -> list[Fault]:
    """Write ``masks/<source>.parquet`` and ``pictures/<source>.parquet`` under a folder; see ``Exporter``.

    A source is the first part of the keys. Pictures without masks have a row in the second table alone;
    each column's metadata says what it holds. Examples must come in the order of their keys, so that a source
    is whole when the next begins: ``ValueError`` for another. ``InputError`` where pyarrow is not installed.
    """
    tables = _tables()

    def rows(example: Example) -> list[Row]:
        found: list[Row] = tables.mask_rows(example, categories)
        return found

    faults: list[Fault] = []
    made = each_converted(in_order(examples), "parquet", categories, rows, faults)
    for name, group in groupby(made, key=lambda one: _file_name(one[0].key)):
        with (
            tables.growing_table(folder / "masks" / name, tables.MASKS) as masks,
            tables.growing_table(folder / "pictures" / name, tables.PICTURES) as pictures,
        ):
            for example, found in group:
                masks.add(found)
                pictures.add([tables.picture_row(example)])
    return faults


def check_pyarrow() -> None:
    """Raise ``InputError`` where pyarrow is not installed: better before a long run than at its end."""
    _tables()


def _tables() -> ModuleType:
    """The module that knows pyarrow."""
    try:
        from ssa.formats import parquet_tables
    except ModuleNotFoundError as error:
        raise InputError(
            "expected pyarrow, which writes Parquet; it is not installed; run `uv sync --extra parquet` "
            "or `pip install pyarrow`"
        ) from error
    return parquet_tables


def _file_name(key: str) -> str:
    """The file of a key's source. Readers of a folder pass over names that begin with "_" or "."."""
    source = key.partition("/")[0]
    # "%" too, or "%5Fa" and "_a" would meet.
    if source[:1] in ("_", ".", "%"):
        source = f"%{ord(source[0]):02X}{source[1:]}"
    return f"{source}.parquet"
