"""Labels as numbers that stay: the vocabulary file that shards and later runs share."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from ssa.drawing.colours import hexadecimal, label_colour
from ssa.errors import InputError
from ssa.formats.json_stream import json_list
from ssa.json_fields import FieldError, integer_of, list_of, object_of, text_of


class Categories:
    """Labels with ids from 1 on, in the order they were first met; an id once given never changes."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._ids: dict[str, int] = {}
        for number, name in enumerate(names, start=1):
            if self._ids.setdefault(name, number) != number:
                raise InputError(
                    f"expected each category once; got {name!r} twice; remove the second"
                )

    @property
    def names(self) -> tuple[str, ...]:
        """All labels; the id of the first is 1."""
        return tuple(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, label: str) -> bool:
        return label in self._ids

    def id_of(self, label: str) -> int:
        """The id of a label, 1 or more. Raises ``KeyError`` for one never met."""
        return self._ids[label]

    def extended(self, labels: Iterable[str]) -> Categories:
        """These categories, and after them the labels that are new, in the order given."""
        return Categories(tuple(dict.fromkeys((*self._ids, *labels))))

    def save(self, path: Path) -> None:
        """Write them as JSON, whole or not at all: a list of objects with ``id``, ``name`` and ``color``."""
        with json_list(path) as rows:
            for name, number in self._ids.items():
                rows.add({"id": number, "name": name, "color": hexadecimal(label_colour(name))})

    @classmethod
    def load(cls, path: Path) -> Categories:
        """Read what ``save`` wrote. Raises ``InputError`` for anything else, and for nothing."""
        try:
            rows = list_of(json.loads(path.read_bytes()), "rows")
            names = [_name(row, number) for number, row in enumerate(rows, start=1)]
        except (OSError, ValueError, RecursionError, FieldError) as error:
            raise InputError(
                "expected a file of categories: a JSON list of objects with id (1, 2, 3, ...) and name; "
                f"got something else in {path.name}; take one that an earlier run wrote"
            ) from error
        return cls(names)


def _name(row: object, number: int) -> str:
    fields = object_of(row, "row")
    if integer_of(fields.get("id"), "id") != number:
        raise FieldError("id")
    return text_of(fields.get("name"), "name")
