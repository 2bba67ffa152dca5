"""Stamps: which files of a bundle were whole when they were last read, so that a start needn't read them all.

A stamp says that a file's bytes had the hash that manifest and lock ask for, and what the file looked like
to the file system then: size, times of its content and of its entry, inode, device. It holds for the
bundle as it was described then; a changed manifest or lock, or a file that looks other than it did, is read
anew. What can't be read or written is no stamp, and no error.

They lie beside the bundle's folder, not in it, or where that can't be written, in the user's own cache. Who
may forge one there may as well write the ``manifest.json`` there, which is believed, or that user's files:
nobody gets more power over what is loaded than before. Against a disk that rots in silence, which changes
no date, there is ``ssa weights verify``, which reads everything.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from platformdirs import user_cache_path

from ssa.files import write_whole
from ssa.weights.bundle import Bundle

logger = logging.getLogger(__name__)

SETTLED_AFTER_NS = 2_000_000_000
"""A file that changed later than this before it was read may change again and keep its time: FAT counts
in steps of two seconds."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """How a file looks to its file system; two that are equal are of a file that nobody wrote to between."""

    size: int
    modified_ns: int
    changed_ns: int
    inode: int
    device: int

    @classmethod
    def of(cls, path: Path) -> Stamp:
        """The file as it looks now; raises ``OSError`` where there is none."""
        seen = path.stat()
        return cls(seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino, seen.st_dev)


def stamps_of(bundle: Bundle, paths: Iterable[str]) -> dict[str, Stamp]:
    """How each file looks now, by its path in the bundle; to be taken before it is read.

    Files that changed just now are left out.
    """
    settled_ns = time.time_ns() - SETTLED_AFTER_NS
    found = {path: Stamp.of(bundle.path / path) for path in paths}
    return {path: stamp for path, stamp in found.items() if stamp.modified_ns <= settled_ns}


def read_stamps(bundle: Bundle, fingerprint: str) -> dict[str, Stamp]:
    """The stamps that were kept of a bundle with this fingerprint, by path; none where none are sound."""
    for place in _places(bundle.root, bundle.name):
        try:
            kept = json.loads(place.read_bytes())
            if kept["fingerprint"] == fingerprint:
                return {path: Stamp(**fields) for path, fields in kept["files"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            logger.debug("no stamps in %s: %s", place.name, type(error).__name__)
    return {}


def keep_stamps(bundle: Bundle, fingerprint: str, stamps: Mapping[str, Stamp]) -> None:
    """Keep them for later starts, in the first place that can be written; in none, nothing is kept."""
    table = {
        "fingerprint": fingerprint,
        "files": {path: asdict(stamp) for path, stamp in sorted(stamps.items())},
    }
    content = (json.dumps(table, indent=1) + "\n").encode("utf-8")
    for place in _places(bundle.root, bundle.name):
        try:
            write_whole(place, content)
        except OSError as error:
            logger.debug("stamps can't be kept in %s: %s", place.name, error.strerror)
        else:
            return


def forget_stamps(root: Path, name: str) -> None:
    """Remove those of a bundle that is no more."""
    for place in _places(root, name):
        place.unlink(missing_ok=True)


def _places(root: Path, name: str) -> tuple[Path, Path]:
    folder_name = hashlib.sha256(str(root.absolute()).encode()).hexdigest()[:16]
    cache = user_cache_path("ssa") / "stamps" / folder_name
    return root.absolute() / f".{name}.stamps.json", cache / f"{name}.json"
