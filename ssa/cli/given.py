"""What was typed for the model's inputs: options made of their table, and ``-i name=value`` as Cog has it."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from ssa.errors import InputError
from ssa.inputs import INPUTS, InputField


def add_input_options(
    group: argparse._ArgumentGroup, names: Iterable[str], words: dict[str, str]
) -> None:
    """Options for inputs, ``top_k`` as ``--top-k``; what isn't typed is None.

    ``words`` are shorter than the table's where a line of help has room for a few only.
    """
    for name in names:
        field = INPUTS[name]
        flag, text = f"--{name.replace('_', '-')}", words.get(name, field.description)
        if field.kind is bool:
            action = argparse.BooleanOptionalAction if field.optional else "store_true"
            group.add_argument(flag, action=action, default=None, help=text)
        elif field.choices:
            default = f" (default: {field.default})"
            group.add_argument(flag, choices=field.choices, help=text + default)
        else:
            metavar = "N" if field.kind in (int, float) else "TEXT"
            help_text = text + _range(field) if metavar == "N" else text
            group.add_argument(flag, type=_reader(field), metavar=metavar, help=help_text)


def _range(field: InputField) -> str:
    least, most = field.bounds
    default = "" if field.default is None else f"; default: {field.default}"
    return f" ({least:g} to {most:,}{default})"


def _reader(field: InputField) -> Callable[[str], Any]:
    """Reads one value for argparse, which tells what is wrong with it beside the option's name."""
    if field.kind not in (int, float):
        return str
    least, most = field.bounds
    noun = "a whole number" if field.kind is int else "a number"

    def number(text: str) -> Any:
        try:
            value = field.kind(text)
        except ValueError:
            value = math.nan
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(
                f"expected {noun} from {least} to {most}; got {text!r}"
            )
        return value

    return number


def assignment(text: str) -> tuple[str, Any]:
    """The name and the value of ``name=value``; ``name=@file`` is a path for a picture, else the file's text.

    A value that doesn't fit its input's type stays text: the inputs' own check refuses it, so there is one
    wording of that. Raises ``InputError`` for a name that no input has, and for a file that can't be read.
    """
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(f"expected -i NAME=VALUE; got -i {text}")
    if name not in INPUTS:
        raise InputError(f"there is no input {name!r}; there are {', '.join(INPUTS)}")
    kind = INPUTS[name].kind
    if value.startswith("@"):
        path = Path(value[1:]).expanduser()
        return name, path if kind is Path else text_in(path)
    if kind is Path and urlparse(value).scheme not in ("http", "https", "data"):
        raise InputError(f"{name} is a file: write -i {name}=@{value}")
    return name, _value(value, kind)


def _value(text: str, kind: type) -> Any:
    if kind is bool:
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            return text
    return text


def text_in(path: Path) -> str:
    """The text in a file, in UTF-8. Raises ``InputError`` if there is none."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it holds other bytes"
        raise InputError(f"expected a text file in UTF-8; got {path.name}: {why}") from error


def described_inputs() -> str:
    """All inputs as a list for the help: name, default, description."""
    lines = ["inputs for -i, as the served model has them:"]
    for name, field in INPUTS.items():
        default = "" if field.default is None else f" (default: {str(field.default).lower()})"
        lines += [f"  {name}{default}", f"      {field.description}"]
    return "\n".join(lines)
