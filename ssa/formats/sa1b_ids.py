"""What records of a picture are called: given ids stay where they can, and every record has one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from ssa.formats.sa1b import Record


def ids_in_tree(originals: Sequence[Mapping[str, Any]]) -> Sequence[int]:
    """What a tree of given records calls each: its own ``id`` where all have different whole numbers."""
    ids = [record.get("id") for record in originals]
    whole = [one for one in ids if type(one) is int]
    return whole if len(set(whole)) == len(ids) else range(len(ids))


def numbered(records: Sequence[Record]) -> list[Record]:
    """The records, each with an ``id``: as in SA-1B, where it is a whole number unique in its file."""
    taken = {
        one for one in (record.get("id") for record in records) if isinstance(one, int | float)
    }
    free = (number for number in count() if number not in taken)
    return [
        record if record.get("id") is not None else {**record, "id": next(free)}
        for record in records
    ]
