"""How near a found name is to the true one: LAC's nested levels by WordNet, and similarities from 0 to 1.

The levels are those of LAC (ICLR 2026). Any meaning of one word counts against any of the other, but for the
similarity, which takes what each word most often means.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from functools import cache, lru_cache

from ssa.score.labels import REMEMBERED, alternatives, normalised, noun_of
from ssa.score.nouns import Meaning, Nouns, load_nouns

TOP_STEPS = 2
TOO_GENERAL = (
    *("whole", "artifact", "living thing", "organism", "instrumentality", "substance"),
    *("causal agent", "unit"),
)
"""Kinds that say nothing of a region, beside all that are at most ``TOP_STEPS`` below "entity"."""


class Level(IntEnum):
    """What a found name is to the true one; each level holds those before it."""

    SAME = 1  # equal after normalising
    SYNONYM = 2  # two words for one meaning
    KIND = 3  # one is a kind of the other: "dog", "animal"
    PART = 4  # one is a part of the other: "wheel", "car"
    OTHER = 5  # none of these, or no name


def level_of(found: str | None, true: str) -> Level:
    """How near ``found`` is to ``true``, at best.

    Of a true label that lists words with commas the nearest counts. A kind doesn't count where the general
    one is ``TOO_GENERAL``. A part may be one of what the whole is a kind of: a car has a vehicle's wheels.
    """
    if found is None:
        return Level.OTHER
    return min((_level(normalised(found), one) for one in alternatives(true)), default=Level.OTHER)


def similarity(found: str | None, true: str) -> float:
    """Wu and Palmer's: 2 d / (2 d + steps up from both), for what both are a kind of, at depth d from 1.

    Of several such the one that gives most. 1 for the same name and for synonyms, 0 for a name that isn't
    in WordNet.
    """
    if found is None:
        return 0.0
    return max((_similarity(normalised(found), one) for one in alternatives(true)), default=0.0)


def word_iou(found: str | None, true: str) -> float:
    """Words that two names share by words of either, after normalising; 0 to 1."""
    own = set() if found is None else set(normalised(found).split())
    others = (set(one.split()) for one in alternatives(true))
    return max((len(own & one) / len(own | one) for one in others), default=0.0)


@lru_cache(REMEMBERED)
def _level(found: str, true: str) -> Level:
    if found == true:
        return Level.SAME
    one, other = noun_of(found), noun_of(true)
    if one is None or other is None:
        return Level.OTHER
    nouns = load_nouns()
    ours, theirs = nouns.meanings(one), nouns.meanings(other)

    def some(related: Callable[[Nouns, Meaning, Meaning], bool]) -> bool:
        return any(related(nouns, a, b) or related(nouns, b, a) for a in ours for b in theirs)

    if not set(ours).isdisjoint(theirs):
        return Level.SYNONYM
    if some(_is_kind):
        return Level.KIND
    return Level.PART if some(_is_part) else Level.OTHER


@lru_cache(REMEMBERED)
def _similarity(found: str, true: str) -> float:
    if _level(found, true) <= Level.SYNONYM:
        return 1.0
    one, other = noun_of(found), noun_of(true)
    if one is None or other is None:
        return 0.0
    nouns = load_nouns()
    return wu_palmer(nouns, nouns.usual(one), nouns.usual(other))


def wu_palmer(nouns: Nouns, one: Meaning, other: Meaning) -> float:
    """The similarity of two meanings; see ``similarity``."""
    ours, theirs = nouns.above(one), nouns.above(other)
    depths = {up: nouns.depth(up) + 1 for up in ours.keys() & theirs.keys()}
    return max((2 * d / (2 * d + ours[up] + theirs[up]) for up, d in depths.items()), default=0.0)


def _is_kind(nouns: Nouns, one: Meaning, other: Meaning) -> bool:
    return other in nouns.above(one) and other not in _too_general()


def _is_part(nouns: Nouns, one: Meaning, other: Meaning) -> bool:
    """Whether ``one`` is a part of ``other``, or of what that is a kind of."""
    return any(one in nouns.parts(up) for up in nouns.above(other))


@cache
def _too_general() -> frozenset[Meaning]:
    nouns = load_nouns()
    named = {meaning for word in TOO_GENERAL for meaning in nouns.meanings(word)}
    high = {place for place in range(len(nouns.lemmas)) if nouns.depth(place) <= TOP_STEPS}
    return frozenset(named | high)
