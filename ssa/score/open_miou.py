"""Open mIoU: the mean IoU of words where a found word is right as far as it is like the true one.

After arXiv 2311.03352. With C[p, g] pixels of found word p and true word g, and S[p, g] how alike they are:
TP_g = Σ_p C[p, g] S[p, g]; C'[p, g] = C[p, g] (1 - S[p, g]) off the diagonal and C'[g, g] = TP_g;
IoU_g = TP_g / (Σ_p C'[p, g] + Σ_q C'[g, q] - TP_g); the figure is the mean over the true words.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ssa.masks.painting import paint
from ssa.score.labels import alternatives, normalised
from ssa.score.regions import Pair, Region

NOTHING = ""
"""The found word of a pixel that has none; it is like no other."""

Likeness = Callable[[str, str], float]
"""How alike a found and a true word are, 0 to 1; 1 for the same."""


class WordPixels:
    """Counts of pixels by found and true word; they grow with the words and not with the pictures."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    def add(self, pair: Pair) -> None:
        """Count a picture's pixels that have a true word.

        Smaller regions lie on larger ones; those without a label are left aside.
        """
        found_words, found = _painted(pair.found, pair, normalised)
        true_words, true = _painted(pair.true, pair, word_of)
        if not true_words:
            return
        width = len(found_words) + 1
        known = true >= 0
        both = true[known].astype(np.int64) * width + found[known] + 1
        counts = np.bincount(both, minlength=len(true_words) * width)
        for place in np.flatnonzero(counts):
            g, p = divmod(int(place), width)
            word = found_words[p - 1] if p else NOTHING
            self.counts[word, true_words[g]] += int(counts[place])

    def ious(self, likeness: Likeness) -> dict[str, float]:
        """The IoU of each true word, 0 to 1."""
        right: defaultdict[str, float] = defaultdict(float)
        wrong: defaultdict[str, float] = defaultdict(float)
        for (found, true), pixels in self.counts.items():
            alike = 1.0 if found == true else likeness(found, true) if found != NOTHING else 0.0
            right[true] += pixels * alike
            if found != true:
                rest = pixels * (1 - alike)
                wrong[true] += rest
                wrong[found] += rest
        words = sorted({true for _, true in self.counts})
        return {word: right[word] / (right[word] + wrong[word]) for word in words}

    def mean_iou(self, likeness: Likeness) -> float | None:
        """Open mIoU, None where no pixel has a true word."""
        ious = self.ious(likeness)
        return sum(ious.values()) / len(ious) if ious else None


def word_of(label: str) -> str:
    """What a true label is counted as: the first that it allows beside the whole of a list."""
    allowed = alternatives(label)
    return allowed[min(1, len(allowed) - 1)] if allowed else NOTHING


def _painted(
    regions: Sequence[Region], pair: Pair, named: Callable[[str], str]
) -> tuple[list[str], NDArray[np.int32]]:
    """The words of the regions that have one, in order, and (H, W) which of them each pixel has, or -1."""
    words = [(one.mask, named(one.label)) for one in regions if one.label is not None]
    # In an order of their own, for of equal masks the last one is seen.
    words = sorted(
        ((mask, word) for mask, word in words if word), key=lambda one: (one[1], one[0].counts)
    )
    painted = paint([mask for mask, _ in words], pair.height, pair.width)
    return [word for _, word in words], painted
