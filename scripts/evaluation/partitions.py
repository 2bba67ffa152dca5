"""How well groups agree with true kinds: the adjusted Rand index and two relatives of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import homogeneity_completeness_v_measure
from sklearn.metrics.cluster import pair_confusion_matrix

from ssa.labelling.clustering import NOISE


@dataclass(slots=True)
class Agreement:
    """Scores scene by scene; ``pairs`` adds up the pairs of all scenes."""

    ari: list[float] = field(default_factory=list)
    nmi: list[float] = field(default_factory=list)
    homogeneity: list[float] = field(default_factory=list)
    pairs: NDArray[np.int64] = field(default_factory=lambda: np.zeros((2, 2), np.int64))

    def add(self, kinds: Sequence[str], groups: Sequence[int]) -> None:
        """Count one scene's regions, of true kinds and found groups; fewer than two can't agree."""
        if len(kinds) < 2:
            return
        alone = own_groups(groups)
        pairs = pair_confusion_matrix(kinds, alone)
        self.pairs += pairs
        self.ari.append(rand_index(pairs))
        # The V measure is the mutual information, normalised by the mean of both entropies.
        homogeneity, _, nmi = homogeneity_completeness_v_measure(kinds, alone)
        self.homogeneity.append(float(homogeneity))
        self.nmi.append(float(nmi))

    def report(self) -> dict[str, float]:
        """Means over the scenes, and ``pooled_ari``: the index of all scenes' pairs together."""

        def mean(values: Sequence[float]) -> float:
            return float(np.mean(values)) if values else float("nan")

        return {
            "ari": mean(self.ari),
            "pooled_ari": rand_index(self.pairs),
            "nmi": mean(self.nmi),
            "homogeneity": mean(self.homogeneity),
        }


def own_groups(groups: Sequence[int]) -> list[int]:
    """The groups, with one of its own for each region that is in none."""
    return [-2 - row if group == NOISE else group for row, group in enumerate(groups)]


def rand_index(pairs: NDArray[np.int64]) -> float:
    """The adjusted Rand index from counts of pairs, apart or together by truth (rows) and group (columns).

    NaN without a pair.
    """
    (apart, joined), (split, together) = pairs.tolist()
    if not pairs.any():
        return float("nan")
    if not joined and not split:
        return 1.0
    spread = (together + split) * (split + apart) + (together + joined) * (joined + apart)
    return float(2 * (together * apart - split * joined) / spread)
