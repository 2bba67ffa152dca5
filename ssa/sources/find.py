"""Inputs, mixed at will → one stream of items."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from ssa.errors import Fault, InputError
from ssa.sources.alone import PicturesAlone
from ssa.sources.folders import folder_items, identity_of, is_output
from ssa.sources.item import Item
from ssa.sources.lists import Entry, entries_of
from ssa.sources.names import SourceNames, is_picture, printable
from ssa.sources.pairing import MaskOrigin, reason
from ssa.sources.tars import tar_items

Kind = Literal["folder", "tar", "list", "picture"]

_SUFFIX_OF: dict[Kind, str] = {"tar": ".tar", "list": ".txt"}
_COMPRESSED = (
    *(".tar.gz", ".tgz", ".tar.zst", ".tzst", ".tar.bz2", ".tbz", ".tbz2", ".tar.xz", ".txz"),
    *(".tar.lz4", ".zip", ".7z", ".rar"),
)
_EXPECTED = "expected a folder, a tar, a picture, or a list of them (.txt)"


def find_items(inputs: Sequence[Path], masks: MaskOrigin, out: Path) -> Iterator[Item | Fault]:
    """The pictures in all inputs, and what is wrong with others: input by input, by name in each.

    An input is a folder (of pictures, or of SA-1B), a tar (of SA-1B, or a shard of WebDataset), a list of
    paths, or a picture. Keys are the source's name and the path inside it: ``sa_000000/sa_223750`` after
    the JSON where masks are given, else ``photos/sub/dog.jpg``. A second source of one name is "photos-2".
    The order and the keys depend on nothing but the inputs, their order and the names in them.

    ``masks`` "given" takes all from JSON beside pictures, the name of a mask source none; None those of each
    folder or tar whose JSON holds masks. ``out`` is passed over where a folder holds it, and so are the
    results of other runs.

    Found one by one while they are asked for; but at once raises ``InputError`` for an input that is not
    there, or is none of these, or is ``out``.
    """
    # Paths are to mean the same to another process; one input is taken once.
    paths = [Path(path) for path in dict.fromkeys(os.path.abspath(path) for path in inputs)]
    kinds = [_input_kind(path, out) for path in paths]
    return _Finder(masks, Path(os.path.abspath(out))).all(list(zip(paths, kinds, strict=True)))


def kind_of(path: Path) -> Kind:
    """What a path leads to. Raises ``InputError`` for what no items can come from."""
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise InputError(
            f"{_EXPECTED}; got a name with nothing behind it; check the name"
        ) from None
    except OSError as error:
        raise InputError(f"{_EXPECTED}; got: {reason(error)}; check the name") from error
    if stat.S_ISDIR(mode):
        if is_output(path):
            raise InputError(
                f"{_EXPECTED}; got the results of a run; name the folder of its pictures"
            )
        return "folder"
    if not stat.S_ISREG(mode):
        raise InputError(f"{_EXPECTED}; got neither a file nor a folder; name a file")
    return _kind_of_file(path.name.lower())


def _kind_of_file(name: str) -> Kind:
    """By its name in lower case."""
    if name.endswith(_COMPRESSED):
        raise InputError(f"{_EXPECTED}; got a compressed archive; unpack it first")
    for kind, suffix in _SUFFIX_OF.items():
        if name.endswith(suffix):
            return kind
    if is_picture(name):
        return "picture"
    raise InputError(f"{_EXPECTED}; got a file of another kind; name it by the right suffix")


def _input_kind(path: Path, out: Path) -> Kind:
    try:
        kind = kind_of(path)
        if kind == "folder" and os.path.isdir(out) and identity_of(path) == identity_of(out):
            raise InputError(f"{_EXPECTED}; got the folder for the output; name another")
    except InputError as error:
        raise InputError(f"input {printable(str(path))}: {error}") from None
    return kind


class _Finder:
    """Walks through sources, each of which gets a name of its own."""

    def __init__(self, masks: MaskOrigin, out: Path) -> None:
        self._masks, self._out = masks, out
        self._names, self._alone = SourceNames(), PicturesAlone(masks)

    def all(self, sources: Sequence[tuple[Path, Kind]]) -> Iterator[Item | Fault]:
        """The items of every source in turn."""
        for path, kind in sources:
            yield from self._items(path, kind)

    def _items(self, path: Path, kind: Kind) -> Iterator[Item | Fault]:
        name = self._names.distinct(_name_of(path, kind))
        if kind == "folder":
            yield from folder_items(path, name, self._masks, self._out)
        elif kind == "tar":
            yield from tar_items(path, name, self._masks)
        elif kind == "list":
            yield from self._listed(path, name)
        else:
            yield self._alone.item(path, name, path.name)

    def _listed(self, path: Path, source: str) -> Iterator[Item | Fault]:
        empty = True
        try:
            for entry in entries_of(path):
                empty = False
                yield from self._entry(entry, source)
        except OSError as error:
            yield Fault(printable(source), "input", f"can't be read: {reason(error)}")
            return
        if empty:
            yield Fault(printable(source), "input", "expected paths in this list; got none")

    def _entry(self, entry: Entry, source: str) -> Iterator[Item | Fault]:
        try:
            kind = kind_of(entry.path)
            if kind == "list":
                raise InputError("expected no list inside a list; name it as an input of its own")
        except InputError as error:
            yield Fault(printable(entry.text), "input", f"line {entry.line} of {source}: {error}")
            return
        if kind == "picture":
            yield self._alone.item(entry.path, f"{source}/{entry.name}", entry.name)
        else:
            # Like an input of its own: a tar's files can't meet those of a folder in the list.
            yield from self._items(entry.path, kind)


def _name_of(path: Path, kind: Kind) -> str:
    """A source's name as its owner calls it; "." and ".." are other names of a folder."""
    name = os.path.basename(os.path.abspath(path))
    return name[: len(name) - len(_SUFFIX_OF.get(kind, ""))]
