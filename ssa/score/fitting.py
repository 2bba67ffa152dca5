"""From names that were checked to a probability for those that weren't: fits a ``Confidence``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from ssa.errors import InputError
from ssa.labelling.confidence import FEATURES, Confidence, feature_matrix, stages_of
from ssa.types import Annotation

LEAST_OF_EACH = 10
"""So many right names and so many wrong ones it takes to tell them apart."""

# The weights' spread is held to about 1 in the log odds of one standard deviation: little data says little.
_INVERSE_PENALTY = 1.0


def fit_confidence(annotations: Sequence[Annotation], is_right: Sequence[bool]) -> Confidence:
    """The probability that a name is right, as these regions and ``is_right`` of each have it.

    A logistic regression (scikit-learn) with a ridge penalty on standardised ``FEATURES``; what is the same
    everywhere is left out. Regions of which other stages spoke than of most are left aside. Raises
    ``InputError`` for fewer than ``LEAST_OF_EACH`` right or wrong names.
    """
    from sklearn.linear_model import LogisticRegression

    if not annotations:
        raise InputError("expected reviewed regions to learn from; got none; review some first")
    stages = _commonest_stages(annotations)
    pairs = [
        pair for pair in zip(annotations, is_right, strict=True) if stages_of(pair[0]) == stages
    ]
    right = np.array([one for _, one in pairs], np.bool_)
    _check(right)
    known = feature_matrix([one for one, _ in pairs])
    spread = known.std(0)
    told = spread > 1e-9
    centres, scales = known.mean(0)[told], spread[told]
    model = LogisticRegression(C=_INVERSE_PENALTY, max_iter=5000)
    model.fit((known[:, told] - centres) / scales, right)
    return Confidence(
        stages=stages,
        names=tuple(name for name, kept in zip(FEATURES, told, strict=True) if kept),
        centres=_rounded(centres),
        scales=_rounded(scales),
        weights=_rounded(model.coef_[0]),
        intercept=_rounded(model.intercept_)[0],
        regions=len(pairs),
    )


def _commonest_stages(annotations: Sequence[Annotation]) -> str:
    counts = Counter(stages for one in annotations if (stages := stages_of(one)))
    if not counts:
        raise InputError(
            "expected reviewed regions with what the stages said of them; got none; annotate with --detail"
        )
    return counts.most_common(1)[0][0]


def _check(right: np.ndarray) -> None:
    got = int(right.sum()), int((~right).sum())
    if min(got) < LEAST_OF_EACH:
        raise InputError(
            f"expected at least {LEAST_OF_EACH} regions whose names are right and {LEAST_OF_EACH} whose "
            f"names are wrong; got {got[0]} and {got[1]}; review more"
        )


def _rounded(values: np.ndarray) -> tuple[float, ...]:
    """Six digits: more than the data can say, and the same on every machine."""
    return tuple(float(f"{value:.6g}") for value in values)
