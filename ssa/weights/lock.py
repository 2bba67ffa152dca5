"""``bundle.lock.json``: what a download really got, against which later runs check.

The manifest holds the hashes that are known in advance; the lock holds all of them, those of converted
and unpacked files too, and the commit a hub revision stood for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ssa.errors import WeightsError
from ssa.files import write_whole
from ssa.weights.files import inside

LOCK_NAME = "bundle.lock.json"


@dataclass(frozen=True, slots=True)
class LockedFile:
    """A file as it lies in the bundle; ``path`` is relative to the bundle's folder."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Download:
    """One fetched file: the manifest's ``path`` and ``source``, what came, and what was made of it."""

    path: str
    source: Mapping[str, str]
    revision: str
    size: int
    sha256: str
    files: tuple[LockedFile, ...]


def read_lock(folder: Path) -> dict[str, Download]:
    """Downloads by manifest path; empty without a lock. Raises ``WeightsError`` if it is unreadable."""
    path = folder / LOCK_NAME
    if not path.is_file():
        return {}
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        downloads = [_download(folder, entry) for entry in raw["downloads"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            f"{folder.name}/{LOCK_NAME} can't be read ({error}): "
            f"delete it and run ./scripts/download_weights {folder.name}"
        ) from error
    return {download.path: download for download in downloads}


def write_lock(folder: Path, downloads: Iterable[Download]) -> None:
    """Replace the lock of ``folder``, atomically."""
    table = {"bundle": folder.name, "downloads": [asdict(download) for download in downloads]}
    write_whole(folder / LOCK_NAME, (json.dumps(table, indent=1) + "\n").encode("utf-8"))


def _download(folder: Path, raw: Mapping[str, Any]) -> Download:
    files = tuple(LockedFile(**entry) for entry in raw["files"])
    for file in files:
        inside(folder, file.path)
    return Download(**{**raw, "files": files})
