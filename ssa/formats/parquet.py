"""Parquet: one row a mask, for sets too large for JSON; pyarrow, pandas, DuckDB and Spark read it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

from ssa.errors import Fault
from ssa.formats import parquet_tables as tables
from ssa.formats.categories import Categories
from ssa.formats.converting import each_converted, in_order
from ssa.formats.example import Example
from ssa.formats.options import AS_USUAL, FormatOptions

Row = dict[str, Any]


def write_parquet(
    examples: Iterable[Example],
    folder: Path,
    categories: Categories,
    options: FormatOptions = AS_USUAL,
) -> list[Fault]:
    """Write ``masks/<source>.parquet`` and ``pictures/<source>.parquet`` under a folder; see ``Exporter``.

    A source is the first part of the keys. Pictures without masks have a row in the second table alone;
    each column's metadata says what it holds, each file's (``made_by``) whose annotations they are. Examples
    must come in the order of their keys, so that a source is whole when the next begins: ``ValueError`` for
    another.
    """

    def rows(example: Example) -> list[Row]:
        return tables.mask_rows(example, categories)

    said = {"made_by": options.made_by}
    masks_schema = tables.MASKS.with_metadata(said)
    pictures_schema = tables.PICTURES.with_metadata(said)
    faults: list[Fault] = []
    made = each_converted(in_order(examples), "parquet", categories, rows, faults)
    for name, group in groupby(made, key=lambda one: _file_name(one[0].key)):
        with (
            tables.growing_table(folder / "masks" / name, masks_schema) as masks,
            tables.growing_table(folder / "pictures" / name, pictures_schema) as pictures,
        ):
            for example, found in group:
                masks.add(found)
                pictures.add([tables.picture_row(example)])
    return faults


def _file_name(key: str) -> str:
    """The file of a key's source. Readers of a folder pass over names that begin with "_" or "."."""
    source = key.partition("/")[0]
    # "%" too, or "%5Fa" and "_a" would meet.
    if source[:1] in ("_", ".", "%"):
        source = f"%{ord(source[0]):02X}{source[1:]}"
    return f"{source}.parquet"
