"""Reading JSON that somebody else wrote: each value as the type it must have, or an error with its name."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard


class FieldError(Exception):
    """A field is missing or of another kind; the text is the field's name."""


def is_list(value: object) -> TypeGuard[Sequence[Any]]:
    """Whether ``value`` is a JSON list."""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def list_of(value: object, name: str) -> Sequence[Any]:
    """``value`` if it is a list."""
    if not is_list(value):
        raise FieldError(name)
    return value


def object_of(value: object, name: str) -> Mapping[str, Any]:
    """``value`` if it is an object."""
    if not isinstance(value, Mapping):
        raise FieldError(name)
    return value


def objects_of(value: object, name: str) -> list[Mapping[str, Any]]:
    """``value`` if it is a list of objects."""
    return [object_of(one, name) for one in list_of(value, name)]


def text_of(value: object, name: str) -> str:
    """``value`` if it is a text."""
    if not isinstance(value, str):
        raise FieldError(name)
    return value


def texts_of(value: object, name: str) -> tuple[str, ...]:
    """``value`` if it is a list of texts."""
    return tuple(text_of(one, name) for one in list_of(value, name))


def float_of(value: object, name: str) -> float:
    """``value`` if it is a finite number."""
    # JSON's true is Python's True, which is an int: no number for us.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FieldError(name)
    try:
        number = float(value)
    except OverflowError as error:
        raise FieldError(name) from error
    if not math.isfinite(number):
        raise FieldError(name)
    return number


def integer_of(value: object, name: str) -> int:
    """``value`` if it is a whole number; 3.0 is whole."""
    if type(value) is int:  # However long: a float holds no more than 53 bits.
        return value
    number = float_of(value, name)
    if not number.is_integer():
        raise FieldError(name)
    return int(number)
