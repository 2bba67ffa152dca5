"""The draw of a sample: which regions are to be looked at so that the others can be judged by them.

The draw is a hash of what a region is: no list has to be kept, another run of the same command draws the
same, and nobody who annotates or reviews can lean on it. Half of all regions are for samples, the others to
learn from: what a confidence was fitted on can't tell how good it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MOST_STRATA, LEAST_IN_STRATUM = 20, 50

Positions = NDArray[np.int64]


def rank_of(picture: str, origin: str) -> int:
    """A region's place in the draw: 64 bits that are as good as random.

    ``picture`` is its picture's key, ``origin`` the fingerprint of the mask that it was found with.
    """
    digest = hashlib.sha256(f"{picture}\0{origin}".encode("utf-8", "surrogatepass"))
    return int.from_bytes(digest.digest()[:8], "little")


def is_sampled(rank: int) -> bool:
    """Whether a region of this rank is for samples; else it is to learn from."""
    return rank % 2 == 0


def strata_of(confidences: NDArray[np.float64], ranks: NDArray[np.uint64]) -> list[Positions]:
    """The positions of N regions cut into strata of equal size, the most confident first.

    Among equal confidences it is by chance which are first, but not by the ranks themselves: those who are
    first among equals would then be first in the sample, too. There are twenty strata, fewer of few regions.
    """
    order = np.lexsort((_shuffled(ranks), -confidences))
    count = min(max(len(order) // LEAST_IN_STRATUM, 1), MOST_STRATA)
    return list(np.array_split(order, count))


def sample_of(strata: Sequence[Positions], ranks: NDArray[np.uint64]) -> list[Positions]:
    """Of each stratum those that are for samples, in the order in which they are to be looked at."""
    found = []
    for stratum in strata:
        drawn = stratum[ranks[stratum] % 2 == 0]
        found.append(drawn[np.argsort(ranks[drawn], kind="stable")])
    return found


def in_turn(sample: Sequence[Positions]) -> list[int]:
    """All of a sample, a round after the other: of each stratum the first, then of each the second."""
    longest = max(map(len, sample), default=0)
    return [int(one[turn]) for turn in range(longest) for one in sample if turn < len(one)]


def _shuffled(ranks: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Numbers that are as good as random beside the ranks: the last steps of splitmix64 (Vigna, 2015)."""
    mixed = ranks
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), np.uint64)
