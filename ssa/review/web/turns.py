"""When each region is to be looked at for the sample of ``ssa accept``: the draw of all that were found."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ssa.formats.example import Example
from ssa.review.decisions import fingerprint
from ssa.review.draw import in_turn, rank_of, sample_of, strata_of

NEVER = -1


class Turns:
    """The draw is made once, of all regions with a confidence; what becomes of them changes nothing of it."""

    def __init__(self, pictures: int) -> None:
        """``pictures`` is how many there are."""
        self._sure: list[NDArray[np.float64]] = [np.zeros(0)] * pictures
        self._ranks: list[NDArray[np.uint64]] = [np.zeros(0, np.uint64)] * pictures
        self._turns: list[NDArray[np.int32]] | None = None

    def take(self, number: int, example: Example) -> None:
        """Picture ``number`` as it was found; before the draw."""
        if self._turns is not None:
            return
        found = example.annotations
        self._sure[number] = np.array(
            [np.nan if one.confidence is None else one.confidence for one in found]
        )
        ranks = [rank_of(example.key, fingerprint(one.proposal.rle)) for one in found]
        self._ranks[number] = np.array(ranks, np.uint64)

    def draw(self) -> None:
        """Draw, and forget what it was made of."""
        counts = [len(one) for one in self._sure]
        sure = np.concatenate([np.zeros(0), *self._sure])
        ranks = np.concatenate([np.zeros(0, np.uint64), *self._ranks])
        known = np.flatnonzero(~np.isnan(sure))
        turns = np.full(len(sure), NEVER, np.int32)
        order = in_turn(sample_of(strata_of(sure[known], ranks[known]), ranks[known]))
        turns[known[order]] = np.arange(len(order))
        self._turns = np.split(turns, np.cumsum(counts)[:-1]) if counts else []
        self._sure, self._ranks = [], []

    def of(self, number: int) -> NDArray[np.int32] | None:
        """Of each region that was found in a picture its turn, ``NEVER`` for none; None before the draw."""
        return None if self._turns is None else self._turns[number]
