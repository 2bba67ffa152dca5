"""Bring a bundle: look what is missing, fetch, check, convert, put in place, write down.

Work happens in ``<bundle>/.partial``; a file gets its final name by a rename, and the lock is written
after each one. So an interrupted download leaves no half file, and the next run goes on from there.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from ssa.errors import DownloadError, WeightsError
from ssa.files import hold
from ssa.weights.bundle import Bundle, open_bundle
from ssa.weights.checks import damaged, missing
from ssa.weights.convert import to_safetensors, unpack
from ssa.weights.fetch import WAITS_S, fetch
from ssa.weights.files import human_size, inside, sha256_of
from ssa.weights.hub import Remote, locate
from ssa.weights.lock import Download, LockedFile, read_lock, write_lock
from ssa.weights.manifest import Source, WeightFile

logger = logging.getLogger(__name__)

STAGING_NAME = ".partial"
RUNNING_NAME = ".download.lock"


def download(
    name: str,
    root: Path,
    *,
    optional_roles: Collection[str] = (),
    waits_s: Sequence[float] = WAITS_S,
    progress: bool = True,
) -> Bundle:
    """Bring what is missing or damaged of the bundle ``name`` into ``root`` and return it whole.

    Optional roles come when they are named in ``optional_roles``, or came before. Raises ``DownloadError``
    when a file can't be had as promised, ``WeightsError`` for an unknown bundle, an optional role that it
    does not offer, a disk that is too small or a second download at the same time. What was brought before
    stays.
    """
    bundle = open_bundle(root, name)
    if bundle.spec.composed:
        raise WeightsError(f"{name} is put together of folders: there is nothing to download")
    if bundle.spec.shipped:
        raise WeightsError(f"{name} is part of the repository: there is nothing to download")
    for role in optional_roles:
        if role not in bundle.spec.optional_roles:
            offers = ", ".join(bundle.spec.optional_roles) or "none"
            raise WeightsError(f"{name} has no optional role {role!r}: it offers {offers}")
    with _alone(bundle):
        (bundle.path / STAGING_NAME).mkdir(exist_ok=True)
        lock = read_lock(bundle.path)
        files = _asked_for(bundle, optional_roles)
        wanted = [file for file in files if not _is_done(bundle, file, lock)]
        _check_disk(bundle, wanted)
        logger.info("%s: %d files, %d to bring", name, len(files), len(wanted))
        for number, file in enumerate(wanted, 1):
            logger.info("[%d/%d] %s from %s", number, len(wanted), file.path, file.source)
            lock[file.path] = _bring(bundle, file, lock, waits_s, progress)
            write_lock(bundle.path, _in_order(bundle, lock))
        write_lock(bundle.path, _in_order(bundle, lock))
        shutil.rmtree(bundle.path / STAGING_NAME)
    return bundle


@contextmanager
def _alone(bundle: Bundle) -> Iterator[None]:
    """Hold the bundle's folder; two downloads into it would tear each other's files.

    The file that is held stays there afterwards: deleted, it would let a later download lock a new file
    of that name while an earlier one still waits with the old one open.
    """
    bundle.path.mkdir(parents=True, exist_ok=True)
    with (bundle.path / RUNNING_NAME).open("w") as stream:
        if not hold(stream.fileno()):
            raise WeightsError(f"another download of {bundle.name} is running")
        yield


def _asked_for(bundle: Bundle, optional_roles: Collection[str]) -> list[WeightFile]:
    """The bundle's files, with those of optional roles that are named now or were brought before."""
    had = set(bundle.files_to_have())
    return [file for file in bundle.spec.files if file in had or file.role in optional_roles]


def _is_done(bundle: Bundle, file: WeightFile, lock: dict[str, Download]) -> bool:
    record = _pin(file, lock.get(file.path))
    if record is None or file.sha256 not in (None, record.sha256):
        return False
    return not (missing(bundle, record.files) or damaged(bundle, record.files))


def _pin(file: WeightFile, record: Download | None) -> Download | None:
    """The lock's record, as long as it speaks of the source that the manifest names today."""
    return record if record and record.source == file.source.as_json() else None


def _in_order(bundle: Bundle, lock: dict[str, Download]) -> list[Download]:
    """The lock in the manifest's order, without files the manifest no longer names."""
    return [lock[file.path] for file in bundle.spec.files if file.path in lock]


def _check_disk(bundle: Bundle, wanted: list[WeightFile]) -> None:
    # A converted file exists twice for a moment.
    twice = max((file.about for file in wanted if file.convert != "none"), default=0)
    needed = sum(file.about for file in wanted) + twice
    free = shutil.disk_usage(bundle.path).free
    if needed > free:
        raise WeightsError(
            f"{bundle.name} needs about {human_size(needed)} of disk, {human_size(free)} are free: "
            "make room, or give another folder with --root"
        )


def _bring(
    bundle: Bundle,
    file: WeightFile,
    lock: Mapping[str, Download],
    waits_s: Sequence[float],
    progress: bool,
) -> Download:
    remote = _remote(_settled(file.source, lock), waits_s)
    pin = _pin(file, lock.get(file.path))
    size, digest = _promises(file, remote, pin)
    staging = inside(bundle.path / STAGING_NAME, file.path)
    fetched = staging / _file_name(file)
    digest = fetch(
        remote.url, fetched, size=size, sha256=digest, waits_s=waits_s, progress=progress
    )
    fetched_size = fetched.stat().st_size
    files = _place(bundle, file, _made_of(file, fetched))
    shutil.rmtree(staging)
    return Download(
        file.path, file.source.as_json(), remote.revision, fetched_size, digest, tuple(files)
    )


def _settled(source: Source, lock: Mapping[str, Download]) -> Source:
    """The source at the commit that its revision stood for when the first file of its repository came.

    A branch that moves on meanwhile would else give a model's files from two commits.
    """
    asked = {**source.as_json(), "file": ""}
    seen = (one.revision for one in lock.values() if {**one.source, "file": ""} == asked)
    return replace(source, revision=next(filter(None, seen), source.revision))


def _remote(source: Source, waits_s: Sequence[float]) -> Remote:
    if source.url:
        return Remote(source.url, "", None, None)
    return locate(source, waits_s)


def _file_name(file: WeightFile) -> str:
    return PurePosixPath(urlsplit(file.source.url).path or file.source.file).name


def _promises(
    file: WeightFile, remote: Remote, pin: Download | None
) -> tuple[int | None, str | None]:
    """Size and hash that must hold; whoever knows them has to agree with the others."""
    told = {"manifest": (file.size, file.sha256), "server": (remote.size, remote.sha256)}
    if pin is not None:
        told["lock"] = (pin.size, pin.sha256)
    sizes = {who: size for who, (size, _) in told.items() if size is not None}
    digests = {who: digest for who, (_, digest) in told.items() if digest is not None}
    for known in (sizes, digests):
        if len(set(known.values())) > 1:
            claims = ", ".join(f"{who} {value}" for who, value in known.items())
            raise DownloadError(f"{file.source} is not the file we know: {claims}")
    return next(iter(sizes.values()), None), next(iter(digests.values()), None)


def _made_of(file: WeightFile, fetched: Path) -> dict[str, Path]:
    """Path in the bundle → file in staging, after conversion."""
    made = fetched.parent / "made"
    if file.convert == "safetensors":
        to_safetensors(fetched, made)
    elif file.convert == "unpack":
        paths = unpack(fetched, made, file.prefix)
        return {f"{file.path}/{path}": made / path for path in paths}
    else:
        made = fetched
    return {file.path: made}


def _place(bundle: Bundle, file: WeightFile, made: dict[str, Path]) -> list[LockedFile]:
    final = inside(bundle.path, file.path)
    if file.convert == "unpack" and final.is_dir():
        shutil.rmtree(final)
    placed = []
    for path, staged in sorted(made.items()):
        target = inside(bundle.path, path)
        placed.append(LockedFile(path, staged.stat().st_size, sha256_of(staged)))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(staged, target)
        except OSError as error:
            raise DownloadError(f"{bundle.name}/{path} can't be written: {error}") from error
    return placed
