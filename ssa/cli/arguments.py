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
