"""Folders, with all folders in them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ssa.errors import Fault
from ssa.sources.item import Blob, Item
from ssa.sources.names import is_hidden, printable
from ssa.sources.pairing import MaskOrigin, Place, fault, items_in, reason, wanted

Identity = tuple[int, int]
"""What the system knows a folder by, whatever path leads to it: device and inode."""

# What every run leaves in its output.
_LEDGER = Path(".ssa", "ledger.sqlite")


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder by its path inside the source ("" or "sub/"), and those it was reached through."""

    inside: str
    above: tuple[Identity, ...] = ()


@dataclass(frozen=True, slots=True)
class _Listing:
    """What is in a folder, unsorted and without the hidden: files, folders, and links to nothing."""

    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def folder_items(root: Path, source: str, masks: MaskOrigin, out: Path) -> Iterator[Item | Fault]:
    """The items under a folder: its own by name, then those of each folder in it, by name.

    Links are followed, but none back to a folder above itself. ``out`` is passed over, and so are outputs
    of other runs. At any time the names in one folder are held, and the paths of those that still wait.
    """
    waiting, empty = [_Folder("")], True
    while waiting:
        folder = waiting.pop()
        try:
            identity = identity_of(root / folder.inside)
            if identity in folder.above or identity == _identity_if_there(out):
                continue
            if is_output(root / folder.inside):
                continue
            listing = _listed(root / folder.inside, masks)
        except OSError as error:
            empty = False
            yield fault(source, folder.inside, "input", f"can't be opened: {reason(error)}")
            continue
        above = (*folder.above, identity)
        for name in sorted(listing.folders, reverse=True):
            waiting.append(_Folder(f"{folder.inside}{name}/", above))
        for found in _found(root, source, folder.inside, listing, masks):
            empty = False
            yield found
    if empty:
        yield Fault(printable(source), "input", "expected pictures in this folder; got none")


def identity_of(path: Path) -> Identity:
    """Device and inode of what a path leads to. Raises ``OSError``."""
    status = os.stat(path)
    return status.st_dev, status.st_ino


def is_output(folder: Path) -> bool:
    """Whether a run has written its results here: pictures of masks, perhaps, but none to annotate."""
    return os.path.isfile(folder / _LEDGER)


def _identity_if_there(path: Path) -> Identity | None:
    try:
        return identity_of(path)
    except OSError:
        return None


def _listed(path: Path, masks: MaskOrigin) -> _Listing:
    listing = _Listing()
    with os.scandir(path) as entries:
        for entry in entries:
            if is_hidden(entry.name):
                continue
            if entry.is_symlink() and not os.path.exists(entry):
                listing.broken.append(entry.name)
            elif entry.is_dir():
                listing.folders.append(entry.name)
            elif wanted(entry.name, masks):
                listing.files.append(entry.name)
    return listing


def _found(
    root: Path, source: str, inside: str, listing: _Listing, masks: MaskOrigin
) -> Iterator[Item | Fault]:
    """What one folder holds, without the folders in it."""
    for name in sorted(listing.broken):
        yield fault(
            source, inside + name, "input", "expected a file or a folder; got a broken link"
        )
    names = [inside + name for name in listing.files]
    place = Place(source, names, lambda name: Blob.of_file(root / name), _stem)
    yield from items_in(place, masks)


def _stem(name: str) -> str:
    return os.path.splitext(name)[0]
