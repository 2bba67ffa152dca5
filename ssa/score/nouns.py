"""The nouns of WordNet: which words mean one thing, what is a kind of what, and what is a part of what.

The table ``wordnet/nouns.xz`` is made of WordNet's database by ``scripts/wordnet_table``, and is under the
licence beside it. It is text in two sections with an empty line between them.

- A line a meaning, each after what it is a kind of: its depth in the tree, its words with ``|`` between them
  (one with ``*`` before it is most often meant so), and, after tabs, ``^`` with what else it is a kind of and
  ``%`` with its parts, members and substances; lines are told by how far on they are.
- A line a plural that follows no rule, and after a tab its singular.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from importlib.resources import files

Meaning = int
"""A meaning's place in the table."""


class Nouns:
    """A table of nouns. Words are in lower case, several of one noun with a space between them."""

    def __init__(self, text: str) -> None:
        """``text`` is the unpacked table."""
        meanings, _, plurals = text.partition("\n\n")
        self.singulars: Mapping[str, str] = dict(
            _pair(line) for line in plurals.splitlines() if line
        )
        self.words: dict[str, list[Meaning]] = {}
        self._first: dict[str, Meaning] = {}
        self._above: list[tuple[Meaning, ...]] = []
        self._parts: dict[Meaning, frozenset[Meaning]] = {}
        self.lemmas: list[tuple[str, ...]] = []
        branch: list[Meaning] = []
        for place, line in enumerate(meanings.splitlines()):
            head, *marks = line.split("\t")
            depth, _, words = head.partition(" ")
            branch[int(depth) :] = [place]
            links = {mark[0]: [place + int(one) for one in mark[1:].split(",")] for mark in marks}
            self._above.append((*branch[-2:-1], *links.get("^", ())))
            if "%" in links:
                self._parts[place] = frozenset(links["%"])
            self.lemmas.append(tuple(self._word(word, place) for word in words.split("|")))

    def _word(self, word: str, meaning: Meaning) -> str:
        """Note a word as it stands in the table."""
        if word.startswith("*"):
            word = word[1:]
            self._first[word] = meaning
        self.words.setdefault(word, []).append(meaning)
        return word

    def __contains__(self, word: str) -> bool:
        return word in self.words

    def meanings(self, word: str) -> list[Meaning]:
        """All meanings of a word; none for one that isn't in the table."""
        return self.words.get(word, [])

    def usual(self, word: str) -> Meaning:
        """What a word of the table most often means. Raises ``KeyError`` for another."""
        return self._first.get(word, self.words[word][0])

    def above(self, meaning: Meaning) -> Mapping[Meaning, int]:
        """Itself and all that it is a kind of, each with the least number of steps up to it."""
        known = self._known.get(meaning)
        if known is None:
            known = {meaning: 0}
            level = [meaning]
            while level:
                steps = known[level[0]] + 1
                level = [up for one in level for up in self._above[one] if up not in known]
                known.update(dict.fromkeys(level, steps))
                level = list(dict.fromkeys(level))
            self._known[meaning] = known
        return known

    @cached_property
    def _known(self) -> dict[Meaning, dict[Meaning, int]]:
        return {}

    def depth(self, meaning: Meaning) -> int:
        """Steps from the top of the tree by the shortest way: 0 for "entity"."""
        return min(n for up, n in self.above(meaning).items() if not self._above[up])

    def parts(self, meaning: Meaning) -> frozenset[Meaning]:
        """Its own parts, members and substances, without those of what it is a kind of."""
        return self._parts.get(meaning, frozenset())

    def singular(self, word: str) -> str:
        """A plural word's singular: by the list of those without a rule, else by WordNet's rules for endings.

        A word that is in the table itself ("glasses"), or of which no rule makes one that is, stays.
        """
        if word in self.singulars:
            return self.singulars[word]
        if word in self:
            return word
        return next((one for one in _without_ending(word) if one in self), word)


_ENDINGS = (
    *(("s", ""), ("ses", "s"), ("xes", "x"), ("zes", "z"), ("ches", "ch"), ("shes", "sh")),
    *(("men", "man"), ("ies", "y")),
)


def _without_ending(word: str) -> Iterable[str]:
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) > len(ending):
            yield word.removesuffix(ending) + instead


def _pair(line: str) -> tuple[str, str]:
    plural, _, singular = line.partition("\t")
    return plural, singular


@cache
def load_nouns() -> Nouns:
    """The table of the package, read once a process; a fifth of a second or so."""
    packed = files("ssa.score").joinpath("wordnet", "nouns.xz").read_bytes()
    return Nouns(lzma.decompress(packed).decode("ascii"))
