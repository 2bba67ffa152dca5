"""All that is counted of pairs of pictures: sums by picture, words, classes, confidences, the worst regions.

Memory grows by some hundred bytes a picture and some ten a region; no mask is kept but those of the worst.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ssa.masks.overlaps import ious
from ssa.score.labels import normalised
from ssa.score.matching import LIMITS, THRESHOLDS, matched, recalled
from ssa.score.open_miou import WordPixels, word_of
from ssa.score.regions import Pair
from ssa.score.relations import Level, level_of, similarity, word_iou
from ssa.score.structure import Sums, cluster_sums, part_sums
from ssa.score.worst import Case, Worst

NAMELESS = 0
"""Stands for the level of a true region without a label."""

# The area under the accuracies at the four levels, a third apart, by the rule of trapezoids.
_AREA = {Level.SAME: 1 / 6, Level.SYNONYM: 1 / 3, Level.KIND: 1 / 3, Level.PART: 1 / 6}


@dataclass(slots=True)
class ClassCounts:
    """Of one true class: its regions, those matched, and at each level those of just this level."""

    true: int = 0
    matched: int = 0
    levels: Counter[Level] = field(default_factory=Counter)


@dataclass(slots=True)
class Sureness:
    """How sure each answer was, and whether it was right."""

    values: array[float] = field(default_factory=lambda: array("d"))
    right: bytearray = field(default_factory=bytearray)

    def add(self, value: float | None, is_right: bool) -> None:
        """Note one answer; one that says nothing of it, or what is no such number, doesn't count."""
        if value is not None and 0 <= value <= 1:
            self.values.append(value)
            self.right.append(is_right)


class Tally:
    """What pairs of pictures come to; add each once, in any order."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.levels: list[bytes] = []
        self.words = WordPixels()
        self.classes: dict[str, ClassCounts] = {}
        self.found_words: Counter[str] = Counter()
        self.confusions: Counter[tuple[str, str]] = Counter()
        self.confidences, self.margins = Sureness(), Sureness()
        self.counts: Counter[str] = Counter()
        self.worst = Worst()
        self._sums: dict[str, tuple[array[float], array[float]]] = {}

    def add(self, pair: Pair) -> None:
        """Count a picture."""
        shared = ious([one.mask for one in pair.found], [one.mask for one in pair.true])
        matches = matched(pair.found, pair.true, shared)
        levels = [_level(pair, place, matches) for place in range(len(pair.true))]
        self._count(pair, matches, levels)
        self._note_answers(pair, matches)
        self._note_worst(pair, matches, shared)
        self.words.add(pair)
        self.levels.append(bytes(levels))
        self.keys.append(pair.key)
        sums = mask_sums(pair, shared) | name_sums(pair, matches, levels)
        self._append(sums | part_sums(pair, matches) | cluster_sums(pair, matches))

    def sums(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """A figure's sums and what they are over, picture by picture, (n,) both."""
        zeros = np.zeros(len(self.keys))
        both = self._sums.get(name)
        return (
            (zeros, zeros) if both is None else (_padded(both[0], zeros), _padded(both[1], zeros))
        )

    @property
    def summed(self) -> tuple[str, ...]:
        """The names of the figures that there are ``sums`` of."""
        return tuple(self._sums)

    def _append(self, sums: Sums) -> None:
        for name, pair in sums.items():
            for values, value in zip(
                self._sums.setdefault(name, (array("d"), array("d"))), pair, strict=True
            ):
                # A figure that pictures before had nothing of.
                values.extend([0.0] * (len(self.keys) - 1 - len(values)))
                values.append(value)

    def _count(self, pair: Pair, matches: Mapping[int, int], levels: list[int]) -> None:
        self.counts["regions.true"] += len(pair.true)
        self.counts["regions.found"] += len(pair.found)
        self.counts["regions.matched"] += len(matches)
        if pair.is_judged:
            self.counts["regions.wrong"] += len(pair.found) - len(matches)
        for one in pair.found:
            if one.label is not None:
                self.found_words[normalised(one.label)] += 1
        for place, true in enumerate(pair.true):
            if levels[place] == NAMELESS or true.label is None:
                continue
            word = word_of(true.label)
            row = self.classes.setdefault(word, ClassCounts())
            row.true += 1
            if place in matches:
                row.matched += 1
                row.levels[Level(levels[place])] += 1
                if levels[place] > Level.SYNONYM:
                    found = pair.found[matches[place]].label
                    self.confusions[word, normalised(found) if found else ""] += 1

    def _note_answers(self, pair: Pair, matches: Mapping[int, int]) -> None:
        trues = {found: pair.true[true] for true, found in matches.items()}
        for place, one in enumerate(pair.found):
            true = trues.get(place)
            label = None if true is None else true.label
            if one.label is None or (label is None and not (pair.is_judged and true is None)):
                continue
            right = label is not None and level_of(one.label, label) <= Level.SYNONYM
            self.confidences.add(one.confidence, right)
            self.margins.add(one.margin, right)

    def _note_worst(
        self, pair: Pair, matches: Mapping[int, int], shared: NDArray[np.float64]
    ) -> None:
        for place, true in enumerate(pair.true):
            found = matches.get(place)
            if found is None:
                best = int(shared[:, place].argmax()) if len(pair.found) else None
                near = None if best is None or not shared[best, place] else best
            else:
                near = found
            iou = 0.0 if near is None else float(shared[near, place])
            other = None if near is None else pair.found[near]
            self.worst.offer(Case.of_true(pair, true, other, iou, found is not None))
        if pair.is_judged:
            for place in sorted(set(range(len(pair.found))) - set(matches.values())):
                self.worst.offer(Case.of_wrong(pair, pair.found[place]))


def tally_of(pairs: Iterable[Pair]) -> Tally:
    """All pairs counted."""
    tally = Tally()
    for pair in pairs:
        tally.add(pair)
    return tally


def mask_sums(pair: Pair, shared: NDArray[np.float64]) -> Sums:
    """Recall at two IoUs of as many masks as count at all, and AR at each number of masks."""
    hits, total = recalled(pair.found, shared), len(pair.true)
    sums: Sums = {
        f"masks.recall_{round(100 * iou)}": (float(hits[-1, THRESHOLDS.index(iou)]), total)
        for iou in (0.5, 0.7)
    }
    for limit, row in zip(LIMITS, hits, strict=True):
        sums[f"masks.ar_{limit}"] = (float(row.mean()), total)
    return sums


def name_sums(pair: Pair, matches: Mapping[int, int], levels: list[int]) -> Sums:
    """How well matched regions are named, and all true ones: one that wasn't found is named wrong.

    Regions without a true label don't count.
    """
    named = [place for place, level in enumerate(levels) if level != NAMELESS]
    found = [place for place in named if place in matches]
    scores: dict[str, float] = {}
    for level in tuple(Level)[:-1]:
        scores[f"level_{level.value}"] = sum(levels[place] <= level for place in named)
    scores["level_auc"] = sum(
        share * scores[f"level_{level.value}"] for level, share in _AREA.items()
    )
    both = [(pair.found[matches[place]].label, pair.true[place].label or "") for place in found]
    scores["exact"] = sum(one == other for one, other in both)
    scores["word_iou"] = math.fsum(word_iou(one, other) for one, other in both)
    scores["similarity"] = math.fsum(similarity(one, other) for one, other in both)
    sums: Sums = {"regions.matched_share": (len(matches), len(pair.true))}
    if pair.is_judged:
        sums["regions.wrong_share"] = (len(pair.found) - len(matches), len(pair.found))
    for name, score in scores.items():
        sums[f"names.matched.{name}"] = (score, len(found))
        sums[f"names.all.{name}"] = (score, len(named))
    return sums


def _level(pair: Pair, place: int, matches: Mapping[int, int]) -> int:
    label = pair.true[place].label
    if label is None or not word_of(label):
        return NAMELESS
    return level_of(_found_label(pair, matches.get(place)), label)


def _found_label(pair: Pair, place: int | None) -> str | None:
    return None if place is None else pair.found[place].label


def _padded(values: array[float], zeros: NDArray[np.float64]) -> NDArray[np.float64]:
    padded = zeros.copy()
    padded[: len(values)] = values
    return padded
