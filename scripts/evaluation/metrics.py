"""Counts and rates that several evaluations share."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ssa.masks.run_lengths import decode
from ssa.types import AnnotatedImage


@dataclass(slots=True)
class Tally:
    """Counts that add up over scenes; ``rate`` of a name is its hits over its tries."""

    hits: Counter[str] = field(default_factory=Counter)
    tries: Counter[str] = field(default_factory=Counter)
    confusion: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    wrong: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, hit: bool) -> None:
        """Count one try."""
        self.tries[name] += 1
        self.hits[name] += hit

    def rate(self, name: str) -> float:
        """Hits over tries; NaN without a try."""
        return self.hits[name] / self.tries[name] if self.tries[name] else float("nan")


def print_mistakes_and_figures(tally: Tally, figures: dict[str, float]) -> None:
    """The sixteen commonest mistakes, then the figures in a column."""
    print("\nMost frequent mistakes:")
    for mistake, count in tally.wrong.most_common(16):
        print(f"  {count:4d}  {mistake}")
    print()
    width = max(map(len, figures))
    for key, value in figures.items():
        print(f"{key:{width}s} {value:.3f}")


def decoded(annotated: AnnotatedImage) -> NDArray[np.bool_]:
    """All masks of a picture, (N, H, W)."""
    return np.array([decode(a.proposal.rle) for a in annotated.annotations], np.bool_)


def overlaps(masks: NDArray[np.bool_], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """IoU of each of (N, H, W) masks with (H, W) truth, (N,)."""
    if not len(masks):
        return np.zeros(0)
    shared = (masks & truth).sum((1, 2))
    return np.asarray(shared / (masks | truth).sum((1, 2)), np.float64)


def mean_iou(confusion: NDArray[np.int64]) -> float:
    """Mean IoU over the classes that occur in the truth; rows are truth, columns predictions."""
    hits = np.diag(confusion)
    present = confusion.sum(1) > 0
    union = confusion.sum(0) + confusion.sum(1) - hits
    return float((hits[present] / union[present]).mean())


@dataclass(frozen=True, slots=True)
class PixelScores:
    """What a confusion of pixels comes to, as mmsegmentation counts: 0 to 1, NaN where nothing occurs.

    ``ious`` is (C,), NaN for a class neither in the truth nor predicted; ``miou`` is the mean of the
    others. ``aacc`` is the share of all pixels that are right, ``macc`` the mean over the classes of the
    truth of the share of each one's pixels.
    """

    ious: NDArray[np.float64]
    miou: float
    aacc: float
    macc: float

    @classmethod
    def of(cls, confusion: NDArray[np.int64]) -> PixelScores:
        """Of (C, C) counts of pixels; rows are truth, columns predictions."""
        hits = np.diag(confusion)
        true, predicted = confusion.sum(1), confusion.sum(0)
        ious = _shares(hits, true + predicted - hits)
        accuracies = _shares(hits, true)
        aacc = _shares(hits.sum(keepdims=True), true.sum(keepdims=True))
        return cls(ious, _mean(ious), float(aacc[0]), _mean(accuracies))


def confusion_of(
    truth: NDArray[np.integer], predicted: NDArray[np.integer], classes: int, ignored: int = -1
) -> NDArray[np.int64]:
    """(C, C) counts of the pixels of each true class (row) and predicted class (column).

    ``truth`` and ``predicted`` are (H, W) class ids; pixels whose truth is ``ignored`` don't count.
    """
    counted = truth != ignored
    pairs = truth[counted].astype(np.int64) * classes + predicted[counted]
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def _shares(parts: NDArray[np.int64], wholes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Parts over wholes; NaN where the whole is 0."""
    return np.where(wholes > 0, parts / np.maximum(wholes, 1), np.nan)


def _mean(values: NDArray[np.float64]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
