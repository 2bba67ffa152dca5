"""WordNet's database files of nouns → the packed table that ``ssa.score.nouns`` reads, and its licence.

Instances (persons, cities, rivers) are left out. The same files give the same bytes.
"""

from __future__ import annotations

import lzma
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

# Of WordNet's pointers: a kind of, an instance of; and its members, substances and parts.
_KIND_OF, _INSTANCE_OF, _HAS = "@", "@i", frozenset({"%m", "%s", "%p"})

# Long matches of plain text: without positions in words, but with a longer look back.
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "pb": 0}]


@dataclass(frozen=True, slots=True)
class Synset:
    """A meaning: its words in order of the alphabet, and the offsets of what it is linked with.

    What an instance is one of stands in ``kinds`` too.
    """

    offset: str
    words: tuple[str, ...]
    kinds: tuple[str, ...]
    parts: tuple[str, ...]
    is_instance: bool


def synsets(text: str) -> Iterator[Synset]:
    """Those of a file ``data.noun``."""
    for line in text.splitlines():
        if line.startswith(" "):  # the licence
            continue
        fields = line.partition(" | ")[0].split()
        after = 4 + 2 * int(fields[3], 16)
        words = {word.replace("_", " ").lower() for word in fields[4:after:2]}
        first = after + 1
        links = [
            (fields[i], fields[i + 1]) for i in range(first, first + 4 * int(fields[after]), 4)
        ]
        kinds = tuple(to for mark, to in links if mark in (_KIND_OF, _INSTANCE_OF))
        parts = tuple(to for mark, to in links if mark in _HAS)
        is_instance = any(mark == _INSTANCE_OF for mark, _ in links)
        yield Synset(fields[0], tuple(sorted(words)), kinds, parts, is_instance)


def without_instances(found: dict[str, Synset]) -> dict[str, Synset]:
    """The others; what is a kind of an instance (there are a few) is a kind of what that is one of."""

    def kinds(one: Synset) -> Iterator[str]:
        for kind in one.kinds:
            yield from kinds(found[kind]) if found[kind].is_instance else (kind,)

    return {
        one.offset: replace(one, kinds=tuple(dict.fromkeys(kinds(one))))
        for one in found.values()
        if not one.is_instance
    }


def usual_meanings(text: str) -> dict[str, list[str]]:
    """Of a file ``index.noun``: each word's meanings, the most usual first."""
    found = {}
    for line in text.splitlines():
        if not line.startswith(" "):
            fields = line.split()
            found[fields[0].replace("_", " ").lower()] = fields[-int(fields[2]) :]
    return found


def table(data: str, index: str, exceptions: str) -> str:
    """The table's text; see ``ssa.score.nouns``."""
    known = without_instances({one.offset: one for one in synsets(data)})
    usual = {
        word: next((one for one in offsets if one in known), "")
        for word, offsets in usual_meanings(index).items()
        if sum(one in known for one in offsets) > 1
    }
    order = list(_walk(known))
    places = {one.offset: place for place, (_, one) in enumerate(order)}
    lines = [_line(one, depth, places, usual) for depth, one in order]
    words = {word for one in known.values() for word in one.words}
    return "\n".join(lines) + "\n\n" + "".join(_plurals(exceptions, words))


def _walk(known: dict[str, Synset]) -> Iterator[tuple[int, Synset]]:
    """Each meaning after what it first is a kind of, with its depth; sisters by their words."""
    below: dict[str, list[Synset]] = {}
    for one in known.values():
        below.setdefault(one.kinds[0] if one.kinds else "", []).append(one)
    waiting = [(0, one) for one in below.get("", ())]
    while waiting:
        depth, one = waiting.pop()
        yield depth, one
        lower = sorted(
            below.get(one.offset, ()),
            key=lambda sister: (sister.words, sister.offset),
            reverse=True,
        )
        waiting += [(depth + 1, each) for each in lower]


def _line(one: Synset, depth: int, places: dict[str, int], usual: dict[str, str]) -> str:
    words = ("*" + word if usual.get(word) == one.offset else word for word in one.words)
    text = f"{depth} {'|'.join(words)}"
    for mark, others in (("^", one.kinds[1:]), ("%", one.parts)):
        steps = [places[other] - places[one.offset] for other in others if other in places]
        if steps:
            text += f"\t{mark}{','.join(map(str, sorted(steps)))}"
    return text


def _plurals(exceptions: str, words: set[str]) -> Iterator[str]:
    for line in sorted(filter(None, set(exceptions.splitlines()))):
        plural, *singulars = (one.replace("_", " ") for one in line.split())
        if singulars and singulars[0] in words and singulars[0] != plural:
            yield f"{plural}\t{singulars[0]}\n"


def licence(data: str) -> str:
    """What a file of the database begins with, its lines' numbers taken off."""
    head = [line for line in data.splitlines() if line.startswith(" ")]
    return "".join(re.sub(r"^ +\d+ ?", "", line).rstrip() + "\n" for line in head)


def pack(text: str) -> bytes:
    """The table as the package has it."""
    return lzma.compress(text.encode("ascii"), filters=_FILTERS)


def main(source: Path, folder: Path) -> None:
    """Write ``nouns.xz`` and ``LICENSE``."""
    names = ("data.noun", "index.noun", "noun.exc")
    data, index, exceptions = ((source / name).read_text("ascii") for name in names)
    folder.mkdir(parents=True, exist_ok=True)
    packed = pack(table(data, index, exceptions))
    (folder / "nouns.xz").write_bytes(packed)
    (folder / "LICENSE").write_text(licence(data))
    print(f"{folder / 'nouns.xz'}: {len(packed):,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
