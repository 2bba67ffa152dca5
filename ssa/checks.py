"""Is a value from outside what it must be? The value itself, or an ``InputError`` of one line.

The texts show short numbers and words as they came, and of anything else the type: a path is never repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ssa.errors import InputError


def checked_bool(name: str, value: Any) -> bool:
    """``value`` if it is true or false."""
    if not isinstance(value, bool):
        raise InputError(f"{name} must be true or false; got {shown(value)}")
    return value


def checked_number(name: str, value: Any, kind: type, least: float, most: float) -> Any:
    """``value`` as an ``int`` or ``float``, whichever ``kind`` is, if it is from ``least`` to ``most``."""
    number = _whole(value) if kind is int else _real(value)
    # NaN and the infinities fall to the comparison: it is false for them.
    if number is None or not least <= number <= most:
        noun = "a whole number" if kind is int else "a number"
        raise InputError(f"{name} must be {noun} from {least} to {most}; got {shown(value)}")
    return kind(number)


def checked_text(
    name: str, value: Any, choices: Sequence[str] | None, most_characters: int | None
) -> str:
    """``value`` if it is one of the ``choices``; where there are none, if it is short enough."""
    if choices is not None:
        if value not in choices:
            raise InputError(f"{name} must be one of {', '.join(choices)}; got {shown_text(value)}")
    elif not isinstance(value, str) or len(value) > (most_characters or len(value)):
        raise InputError(
            f"{name} must be a text of at most {most_characters} characters; got {shown_text(value)}"
        )
    return str(value)


def shown(value: Any) -> str:
    """A short number or a truth value as it is; of anything else the type."""
    short = isinstance(value, float) or (isinstance(value, int) and abs(value) < 10**12)
    return repr(value) if short else type_name(value)


def shown_text(value: Any) -> str:
    """A few words as they are, if they can't be a path; else as ``shown``."""
    plain = isinstance(value, str) and len(value) <= 40 and not set(value) & {"/", "\\"}
    return repr(value) if plain else shown(value)


def type_name(value: Any) -> str:
    """The type in words."""
    return "nothing" if value is None else f"a value of type {type(value).__name__}"


def _whole(value: Any) -> int | None:
    """``value`` as an int, or None; 3.0 is whole, for JSON has one kind of number."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _real(value: Any) -> float | None:
    """``value`` if it is a number, or None."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
