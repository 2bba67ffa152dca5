"""Kinds of values that several command lines take, for argparse."""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def positive(text: str) -> int:
    """A whole number, 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number, 1 or more; got {text!r}")
    return int(text)


def share(text: str) -> float:
    """A share of more than 0 and less than 1, as "0.05" or "5%"."""
    digits, scale = (text[:-1], 100) if text.endswith("%") else (text, 1)
    try:
        value = float(digits) / scale
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(
            f"expected a share of more than 0 and less than 1, such as 0.05 or 5%; got {text!r}"
        )
    return value


def probability(text: str) -> float:
    """0 to 1, both allowed, as "0.9" or "90%"."""
    digits, scale = (text[:-1], 100) if text.endswith("%") else (text, 1)
    try:
        value = float(digits) / scale
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(
            f"expected a probability, 0 to 1, such as 0.9 or 90%; got {text!r}"
        )
    return value


def writable_file(text: str) -> Path:
    """A file that can be written: found out before the work, not after it."""
    path = Path(text)
    if path.is_dir() or not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"expected a file that can be written; got {text}")
    return path


def folder(text: str) -> Path:
    """A folder that is there."""
    path = Path(text).expanduser()
    if not path.is_dir():
        what = "is a file" if path.exists() else "isn't there"
        raise argparse.ArgumentTypeError(f"expected a folder; got {text!r}, which {what}")
    return path
