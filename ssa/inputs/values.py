"""The values that a caller gave, held against the table of inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ssa.checks import checked_bool, checked_number, checked_text, shown_text, type_name
from ssa.errors import InputError
from ssa.inputs.table import INPUTS, InputField


def checked_inputs(
    given: Mapping[str, Any], fields: Mapping[str, InputField] = INPUTS
) -> dict[str, Any]:
    """Every one of ``fields`` by name, as it was given or else by its default.

    Raises ``TypeError`` for names that are not among the fields, with those that are, and ``InputError``
    for the first value that is of another type or out of range; the text repeats no path.
    """
    unknown = [name for name in given if name not in fields]
    if unknown:
        raise TypeError(unknown_names(unknown, fields))
    return {name: _checked(name, given.get(name, one.default), one) for name, one in fields.items()}


def unknown_names(unknown: Iterable[str], fields: Iterable[str]) -> str:
    """One line on names that no input has, with those that inputs have."""
    shown = ", ".join(shown_text(name) for name in unknown)
    return f"expected inputs called {', '.join(fields)}; got {shown}; leave it out, or correct it"


def _checked(name: str, value: Any, field: InputField) -> Any:
    if value is None and field.optional:
        return None
    if field.kind is Path:
        if not isinstance(value, Path):
            raise InputError(
                f"{name} must be a picture, sent as a data URI or an http(s) URL; "
                f"got {type_name(value)}"
            )
        return value
    if field.kind is bool:
        return checked_bool(name, value)
    if field.kind is str:
        return checked_text(name, value, field.choices, field.max_length)
    return checked_number(name, value, field.kind, *field.bounds)
