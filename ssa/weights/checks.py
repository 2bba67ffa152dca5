"""Is a bundle whole? Sizes and hashes against the manifest or, for what was downloaded, the lock.

Hashing is done by default, all files in parallel: SHA-256 runs at 0.4 to 2 GB/s a core, and the largest file
of ``base`` has 2.6 GB. ``quick`` compares sizes, and hashes only small files. A start trusts the stamps of
files that it or another has hashed before.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor

from ssa.errors import WeightsError
from ssa.weights.bundle import Bundle, shown_path
from ssa.weights.files import sha256_of
from ssa.weights.lock import Download, LockedFile, read_lock
from ssa.weights.manifest import WeightFile
from ssa.weights.stamps import Stamp, keep_stamps, read_stamps, stamps_of

QUICK_LIMIT_BYTES = 4 << 20
_MOST_SHOWN = 8


def verify(bundle: Bundle, *, quick: bool = False) -> None:
    """Raise ``WeightsError`` unless every file is there, as long and with the hash it should have.

    The message names each file (relative to the weights folder), what was expected and found, and
    the command that puts it right. ``quick`` hashes only files up to 4 MiB.
    """
    _verify(bundle, quick=quick, stamps={})


def verify_what_changed(bundle: Bundle) -> None:
    """As ``verify``, but a file that has looked the same since it was found whole isn't read again."""
    _verify(bundle, quick=False, stamps=read_stamps(bundle, fingerprint(bundle)))


def _verify(bundle: Bundle, *, quick: bool, stamps: Mapping[str, Stamp]) -> None:
    expected, problems = expectations(bundle)
    gone = missing(bundle, expected)
    now = {} if gone else stamps_of(bundle, (file.path for file in expected))
    unread = [
        file for file in expected if file.path not in now or now[file.path] != stamps.get(file.path)
    ]
    problems += gone or damaged(bundle, unread, quick=quick)
    if problems:
        raise WeightsError(complaint(bundle, problems))
    # What comes with the code is small, and its folder is no place to write to.
    if not quick and not bundle.spec.shipped and now != stamps:
        keep_stamps(bundle, fingerprint(bundle), now)


def fingerprint(bundle: Bundle) -> str:
    """One SHA-256 for all weights of a bundle, by what manifest and lock say of them; files aren't read."""
    expected, _ = expectations(bundle)
    rows = sorted(f"{file.path} {file.sha256}" for file in expected)
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def complaint(bundle: Bundle, problems: list[str]) -> str:
    """The text of the error: the problems, at most eight of them, and what to do."""
    shown = problems[:_MOST_SHOWN]
    if len(problems) > len(shown):
        shown.append(f"... and {len(problems) - len(shown)} more")
    lines = "".join(f"\n  {problem}" for problem in shown)
    return f'the weights bundle "{bundle.name}" is not whole:{lines}\n{bundle.remedy}'


def presence_problems(bundle: Bundle) -> list[str]:
    """What keeps the bundle from being used, as far as can be seen without reading it."""
    expected, problems = expectations(bundle)
    return problems + missing(bundle, expected)


def expectations(bundle: Bundle) -> tuple[list[LockedFile], list[str]]:
    """The files that should lie in the bundle's folder, and why some can't be known."""
    lock = read_lock(bundle.path)
    problems = [f"{bundle.name}/{role}: no files listed" for role in bundle.spec.empty_roles]
    expected: list[LockedFile] = []
    for file in bundle.files_to_have():
        problem = _shipped_problem(file) or _lock_problem(file, lock.get(file.path))
        if problem:
            problems.append(f"{shown_path(bundle.name, file.path)} {problem}")
        elif file.source.shipped:
            expected.append(LockedFile(file.path, file.size or 0, file.sha256 or ""))
        else:
            expected += lock[file.path].files
    return expected, problems


def _shipped_problem(file: WeightFile) -> str:
    unsealed = file.source.shipped and (file.size is None or file.sha256 is None)
    return "has no hash in the manifest: seal the bundle" if unsealed else ""


def _lock_problem(file: WeightFile, record: Download | None) -> str:
    if file.source.shipped:
        return ""
    if record is None:
        return "is missing"
    if record.source != file.source.as_json():
        return f"is another version: the manifest asks for {file.source}"
    if file.sha256 not in (None, record.sha256):
        return f"was made from sha256 {record.sha256}, the manifest asks for {file.sha256}"
    return ""


def missing(bundle: Bundle, expected: Iterable[LockedFile]) -> list[str]:
    """One line for each expected file that is not there."""
    gone = (file for file in expected if not (bundle.path / file.path).is_file())
    return [f"{shown_path(bundle.name, file.path)} is missing" for file in gone]


def damaged(bundle: Bundle, expected: Iterable[LockedFile], *, quick: bool = False) -> list[str]:
    """One line for each file of the wrong size or hash, in the order given."""
    # The largest file first, so that no thread starts it last.
    by_size = sorted(expected, key=lambda file: file.size, reverse=True)
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        found = list(pool.map(lambda file: _damage(bundle, file, quick), by_size))
    return [line for line in found if line]


def _damage(bundle: Bundle, file: LockedFile, quick: bool) -> str:
    path, label = bundle.path / file.path, shown_path(bundle.name, file.path)
    size = path.stat().st_size
    if size != file.size:
        return f"{label} is damaged: expected {file.size} bytes, found {size}"
    if quick and size > QUICK_LIMIT_BYTES:
        return ""
    digest = sha256_of(path)
    if digest != file.sha256:
        return f"{label} is damaged: expected sha256 {file.sha256}, found {digest}"
    return ""
