"""From one table of similarities to each region's own ranking: short rows, so plain arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from ssa.types import ScoredLabel

Labels = tuple[str, ...]


class CandidateTable:
    """The candidates of many regions as columns of one table, in which each label stands once."""

    def __init__(self, candidates: Sequence[Sequence[str]]) -> None:
        self._candidates = [tuple(own) for own in candidates]
        lists = dict.fromkeys(self._candidates)  # Often one for all regions.
        columns = {label: i for i, label in enumerate(dict.fromkeys(chain(*lists)))}
        self.labels: Labels = tuple(columns)
        self._picks = {own: np.array([columns[label] for label in own]) for own in lists}

    def picks(self) -> list[NDArray[np.int64]]:
        """The columns of each region's own candidates, in their order."""
        return [self._picks[own] for own in self._candidates]

    def rankings(
        self, logits: NDArray[np.float32], most: int | None = None
    ) -> list[tuple[ScoredLabel, ...]]:
        """Softmax of each row of ``logits`` (N, labels) over the region's own candidates, best first.

        Ties keep their order; of each region's the ``most`` best are given, or all.
        """
        return [
            softmax_ranking(own, row[pick], most)
            for own, row, pick in zip(self._candidates, logits, self.picks(), strict=True)
        ]


def softmax_ranking(
    labels: Sequence[str], logits: NDArray[np.float32], most: int | None = None
) -> tuple[ScoredLabel, ...]:
    """The share of each label in the softmax of ``logits`` (K,), best first; ties keep their order."""
    shares = np.exp(logits - logits.max())
    return shares_ranking(labels, shares, most)


def shares_ranking(
    labels: Sequence[str], amounts: NDArray[np.float32], most: int | None = None
) -> tuple[ScoredLabel, ...]:
    """The share of each label in the sum of ``amounts`` (K,), best first; ties keep their order.

    The ``most`` best are given, or all.
    """
    shares = amounts / amounts.sum()
    order = np.argsort(-shares, kind="stable")[:most]
    pairs = zip(order.tolist(), shares[order].tolist(), strict=True)
    return tuple(ScoredLabel(labels[place], share) for place, share in pairs)
