"""Which found region is which true one: for the names one to one at best, for recall as COCO does it.

For names it is the Hungarian method: of all ways to pair regions of an IoU of at least ``MATCHED`` the one
with the greatest sum of IoUs, whatever their names are. Recall is COCOeval's greedy way, by the order of the
found masks' scores: each takes the true region left that it shares most with.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from ssa.score.regions import Region

MATCHED = 0.5
"""With this IoU a found region and a true one may be the same."""

THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
LIMITS = (10, 100, 1000)
"""The IoUs and the numbers of masks a picture that recall is counted at."""

# Where IoUs are equal, regions of one id belong together: of a review both come from one record.
_SAME_ID = 1e-9


def matched(
    found: Sequence[Region], true: Sequence[Region], ious: NDArray[np.float64]
) -> dict[int, int]:
    """Positions of true regions with those of the found ones they are; ``ious`` is (found, true).

    The order of regions makes no difference but between those that are equal in all that counts.
    """
    ours, theirs = ranks(found), ranks(true)
    if not ours or not theirs:
        return {}
    gain = np.where(ious >= MATCHED, ious, 0.0)[np.ix_(ours, theirs)]
    columns_of = {true[j].id: column for column, j in enumerate(theirs) if true[j].id is not None}
    for row, i in enumerate(ours):
        same = columns_of.get(found[i].id)
        if same is not None and gain[row, same]:
            gain[row, same] += _SAME_ID
    rows, columns = linear_sum_assignment(gain, maximize=True)
    pairs = zip(rows, columns, strict=True)
    return {theirs[column]: ours[row] for row, column in pairs if gain[row, column]}


def ranks(regions: Sequence[Region]) -> list[int]:
    """Positions in an order that doesn't depend on theirs: by score, best first, mask, label and the rest."""

    def key(position: int) -> tuple[object, ...]:
        one = regions[position]
        sure = (one.confidence or 0.0, one.margin or 0.0)
        return (-one.score, one.mask.counts, one.label or "", sure, str(one.id))

    return sorted(range(len(regions)), key=key)


def recalled(found: Sequence[Region], ious: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many true regions are found at each of ``LIMITS`` (rows) and ``THRESHOLDS`` (columns).

    ``ious`` is (found, true).
    """
    hits = np.zeros((len(LIMITS), len(THRESHOLDS)), np.int64)
    if not ious.size:
        return hits
    least = np.array(THRESHOLDS)[:, None]
    free = np.ones((len(THRESHOLDS), ious.shape[1]), np.bool_)
    every = np.arange(len(THRESHOLDS))
    for place, i in enumerate(ranks(found)[: LIMITS[-1]]):
        if ious[i].max() < MATCHED:
            continue
        shared = np.where(free & (ious[i] >= least), ious[i], -1.0)
        best = shared.argmax(axis=1)
        has = shared[every, best] >= 0
        free[every[has], best[has]] = False
        hits[[place < limit for limit in LIMITS]] += has
    return hits
