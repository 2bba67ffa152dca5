"""Labels as numbers that stay: the vocabulary file that shards and later runs share."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from ssa.errors import InputError
from ssa.files import write_whole


class Categories:
    """Labels with ids from 1 on, in the order they were first met; an id once given never changes."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._ids = {name: number for number, name in enumerate(names, start=1)}
        if len(self._ids) != len(names):
            raise InputError("expected each category once; got one twice; remove the second")

    @property
    def names(self) -> tuple[str, ...]:
        """All labels; the id of the first is 1."""
        return tuple(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def id_of(self, label: str) -> int:
        """The id of a label, 1 or more. Raises ``KeyError`` for one never met."""
        return self._ids[label]

    def extended(self, labels: Iterable[str]) -> Categories:
        """These categories, and after them the labels that are new, in the order given."""
        return Categories(tuple(dict.fromkeys((*self._ids, *labels))))

    def save(self, path: Path) -> None:
        """Write them as JSON: a list of objects with ``id`` and ``name``."""
        rows = [{"id": number, "name": name} for name, number in self._ids.items()]
        write_whole(path, json.dumps(rows, indent=0, ensure_ascii=False).encode("utf-8"))

    @classmethod
    def load(cls, path: Path) -> Categories:
        """Read what ``save`` wrote. Raises ``InputError`` for anything else."""
        try:
            rows = json.loads(path.read_bytes())
            names = [str(row["name"]) for row in rows]
            if [row["id"] for row in rows] != list(range(1, len(rows) + 1)):
                raise ValueError("ids")
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(
                "expected a file of categories: a JSON list of objects with id (1, 2, 3, ...) and name; "
                "got something else; take one that an earlier run wrote"
            ) from error
        return cls(names)
