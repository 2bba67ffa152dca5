"""Small things done with files: hashing, staying inside a folder, sizes for people."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

from ssa.errors import WeightsError


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, lower-case hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def inside(folder: Path, relative: str) -> Path:
    """``folder / relative``; raises ``WeightsError`` when that would lie outside ``folder``."""
    parts = PurePosixPath(relative)
    if not relative or parts.is_absolute() or ".." in parts.parts or "\\" in relative:
        raise WeightsError(f"{relative!r} is not a path inside {folder.name}/")
    return folder / parts


def human_size(size: int) -> str:
    """``size`` bytes in decimal units, as disks are sold: ``"1.9 GB"``."""
    value = float(size)
    for unit in ("bytes", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"
