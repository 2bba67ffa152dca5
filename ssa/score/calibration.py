"""Whether confidences mean what they say: how far they are from the share that is right, and how they rank.

All functions take ``confidences`` (n,), 0 to 1, and ``is_right`` (n,), whether each of these answers was
right. They raise ``ValueError`` for two lengths, and for a confidence outside 0 to 1 or one that is no
number.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

BINS = 15


def expected_calibration_error(
    confidences: ArrayLike, is_right: Sequence[bool] | NDArray[np.bool_], bins: int = BINS
) -> float:
    """Σ over bins of their share of all answers times |share that is right − mean confidence|; 0 to 1.

    Bins are of equal width; each has its lower end, the last both. Lower is better; NaN for no answers.
    """
    confidence, right = _checked(confidences, is_right)
    if not len(confidence):
        return float("nan")
    gaps = [
        abs(sums.right - sums.confidence) for sums in reliability(confidence, right.tolist(), bins)
    ]
    return float(np.sum(gaps) / len(confidence))


class Bin:
    """Answers of like confidence: how many, the sum of their confidences, and how many are right."""

    __slots__ = ("confidence", "count", "right")

    def __init__(self, count: int, confidence: float, right: int) -> None:
        self.count, self.confidence, self.right = count, confidence, right


def reliability(
    confidences: ArrayLike, is_right: Sequence[bool] | NDArray[np.bool_], bins: int = BINS
) -> list[Bin]:
    """The ``bins`` bins of ``expected_calibration_error``, lowest first; some may be empty."""
    confidence, right = _checked(confidences, is_right)
    places = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    counts = np.bincount(places, minlength=bins)
    sums = np.bincount(places, weights=confidence, minlength=bins)
    rights = np.bincount(places, weights=right, minlength=bins)
    return [Bin(int(n), float(c), int(r)) for n, c, r in zip(counts, sums, rights, strict=True)]


def risk_coverage(
    confidences: ArrayLike, is_right: Sequence[bool] | NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """For the k most confident answers, k from 1 to n: their share of all, and how many of them are wrong.

    Gives coverage and risk, both (n,), 0 to 1. Where equal confidences are cut, the risk is the mean over all
    orders of them: a part of the equals has the same part of their errors. So it doesn't matter in which
    order answers come.
    """
    confidence, right = _checked(confidences, is_right)
    total = len(confidence)
    taken = np.arange(1, total + 1)
    _, group, sizes = np.unique(-confidence, return_inverse=True, return_counts=True)
    errors = np.bincount(group, weights=~right, minlength=len(sizes))
    # Up to the end of each group of equals the wrong ones are known; within it they grow evenly.
    ends = np.concatenate([[0], sizes.cumsum()])
    wrong = np.interp(taken, ends, np.concatenate([[0.0], errors.cumsum()]))
    return taken / max(total, 1), wrong / taken


def area_under_risk_coverage(
    confidences: ArrayLike, is_right: Sequence[bool] | NDArray[np.bool_]
) -> float:
    """The mean of ``risk_coverage``'s risk over all k; 0 to 1, lower is better. NaN for no answers."""
    _, risk = risk_coverage(confidences, is_right)
    return float(risk.mean()) if len(risk) else float("nan")


def _checked(
    confidences: ArrayLike, is_right: Sequence[bool] | NDArray[np.bool_]
) -> tuple[Floats, NDArray[np.bool_]]:
    confidence = np.asarray(confidences, np.float64)
    right = np.asarray(is_right, np.bool_)
    if confidence.ndim != 1 or confidence.shape != right.shape:
        raise ValueError(
            f"expected as many confidences as answers; got {confidence.shape} and {right.shape}"
        )
    # A comparison with NaN is false, so that is told here too.
    if not ((confidence >= 0) & (confidence <= 1)).all():
        raise ValueError("expected confidences from 0 to 1; got another, or no number")
    return confidence, right
