"""How far confidences say what is true: their error, and the risk at each coverage.

All take N confidences in 0 to 1 and whether each name is right. Equal confidences can't be told apart, so
each of them stands for their mean: the order in which they come changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BINS = 15


def expected_calibration_error(
    confidences: Sequence[float] | Floats,
    is_right: Sequence[bool] | NDArray[np.bool_],
    bins: int = BINS,
) -> float:
    """Σ over bins of equal width of |B| / N · |share of right names − mean confidence|; NaN without a name.

    As in Guo et al., "On Calibration of Modern Neural Networks", 2017. 1 belongs to the last bin.
    """
    sure, right = _columns(confidences, is_right)
    if not len(sure):
        return float("nan")
    place = np.minimum((sure * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(place, right - sure, bins)
    return float(np.abs(gaps).sum() / len(sure))


def reliability(
    confidences: Sequence[float] | Floats,
    is_right: Sequence[bool] | NDArray[np.bool_],
    bins: int = BINS,
) -> list[tuple[int, float, float]]:
    """The bins that have a name: how many, their mean confidence, their share of right ones."""
    sure, right = _columns(confidences, is_right)
    place = np.minimum((sure * bins).astype(np.int64), bins - 1)
    there, place = np.unique(place, return_inverse=True)
    counts = np.bincount(place, minlength=len(there))
    said, true = (np.bincount(place, values, len(there)) / counts for values in (sure, right))
    return [(int(n), float(p), float(q)) for n, p, q in zip(counts, said, true, strict=True)]


def risk_coverage(
    confidences: Sequence[float] | Floats, is_right: Sequence[bool] | NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """The share of wrong names among the k most confident, for each k: coverage (N,) k / N and risk (N,).

    Of equal confidences each has their mean risk.
    """
    sure, right = _columns(confidences, is_right)
    levels, place = np.unique(-sure, return_inverse=True)
    counts = np.bincount(place, minlength=len(levels))
    wrong = np.bincount(place, 1 - right, len(levels)) / np.maximum(counts, 1)
    taken = np.arange(1, len(sure) + 1)
    return taken / max(len(sure), 1), np.cumsum(np.repeat(wrong, counts)) / np.maximum(taken, 1)


def area_under_risk_coverage(
    confidences: Sequence[float] | Floats, is_right: Sequence[bool] | NDArray[np.bool_]
) -> float:
    """The mean over k of the risk among the k most confident (AURC, Geifman et al., 2019); NaN for no name.

    0 is best; confidences that say nothing have the share of wrong names.
    """
    risk = risk_coverage(confidences, is_right)[1]
    return float(risk.mean()) if len(risk) else float("nan")


def _columns(
    confidences: Sequence[float] | Floats, is_right: Sequence[bool] | NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    sure, right = np.asarray(confidences, np.float64), np.asarray(is_right, np.float64)
    if sure.shape != right.shape or sure.ndim != 1:
        raise ValueError(f"expected as many confidences as names; got {sure.shape}, {right.shape}")
    return sure, right
