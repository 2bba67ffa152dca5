"""How many names may be accepted unseen, so that few of them are wrong: a promise, and the sample behind it.

All regions are put in order of their confidence and cut into strata of equal size. Of each stratum as many
are looked at, drawn at random: so what was looked at of the first ``k`` strata is a fair sample of these.
From starts that the confidences themselves choose, strata are added as long as the upper bound of the error
rate stays under the limit.

The bound is Clopper and Pearson's (1934), exact for draws with replacement and on the safe side for ours:
without replacement, and from strata (Hoeffding, 1956). The certainty is kept though many bounds are looked
at: each start has a share of the risk, and hands it on to what is added to it (the fallback procedure,
Wiens 2003; for error rates see "Learn then Test", arXiv 2110.01052). It assumes that the sample was drawn
as said and looked at whole, that whoever looked was right, and one look: who reviews more and tries again
has a new chance to be unlucky. It says nothing of other pictures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, binom

from ssa.review.draw import Positions, in_turn, sample_of, strata_of

STARTS = 3

UNSEEN, WRONG, RIGHT = -1, 0, 1
"""What was said of a region; who was unsure counts as wrong."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What is asked for: at most this share of wrong names, with this certainty; both in 0 to 1."""

    error: float
    certainty: float = 0.95

    @property
    def least_sample(self) -> int:
        """How many have to be looked at, if all of them are right."""
        return math.ceil(math.log((1 - self.certainty) / STARTS) / math.log(1 - self.error))


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """All regions with a confidence: N of each.

    ``confidences`` (N,) float; ``ranks`` (N,) uint64, their places in the draw (``ssa.review.draw``);
    ``verdicts`` (N,) int8: ``UNSEEN``, ``WRONG`` or ``RIGHT``.
    """

    confidences: NDArray[np.float64]
    ranks: NDArray[np.uint64]
    verdicts: NDArray[np.int8]

    def strata(self) -> list[Positions]:
        """The regions' positions by strata, the most confident first."""
        return strata_of(self.confidences, self.ranks)

    def sample(self) -> list[Positions]:
        """Of each stratum those that may be looked at, in the order in which they are to be."""
        return sample_of(self.strata(), self.ranks)

    def rounds(self) -> int:
        """How many of each stratum's sample were looked at, without a gap."""
        return min((_prefix(self.verdicts[drawn] != UNSEEN) for drawn in self.sample()), default=0)

    def to_review(self, count: int) -> list[int]:
        """The next regions to look at."""
        return [one for one in in_turn(self.sample()) if self.verdicts[one] == UNSEEN][:count]


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What may be accepted.

    ``positions`` are the regions of the population whose names are promised, ``threshold`` the least
    confidence among them (1 for none); of equals at that limit chance took some. ``sampled`` of them were
    looked at, ``wrong`` were wrong; ``bound`` is the greatest error rate that fits that with the certainty
    asked for. ``more`` reviews would let about ``then`` of the population be accepted, None where none would.
    """

    positions: NDArray[np.int64]
    threshold: float
    sampled: int
    wrong: int
    bound: float
    more: int | None
    then: float


def upper_bound(wrong: int, sampled: int, certainty: float) -> float:
    """Clopper and Pearson's upper bound of an error rate, one-sided."""
    return 1.0 if wrong >= sampled else float(beta.ppf(certainty, wrong + 1, sampled - wrong))


def acceptance(population: Population, promise: Promise) -> Acceptance:
    """The most regions whose names can be accepted under the promise, as far as was looked at."""
    strata, sample, rounds = population.strata(), population.sample(), population.rounds()
    wrong = np.cumsum(
        [int((population.verdicts[drawn[:rounds]] == WRONG).sum()) for drawn in sample]
    )
    doubt = _doubt(population, strata)
    kept, level = _kept(wrong, rounds, _risks(doubt, rounds, promise), promise)
    positions = np.concatenate(strata[:kept]) if kept else np.zeros(0, np.int64)
    seen, missed = kept * rounds, int(wrong[kept - 1]) if kept else 0
    more, then = _next_step(kept, wrong, doubt, [len(one) for one in sample], rounds, promise)
    return Acceptance(
        positions=positions,
        threshold=float(population.confidences[positions].min(initial=1.0)),
        sampled=seen,
        wrong=missed,
        bound=upper_bound(missed, seen, 1 - level),
        more=more,
        then=then,
    )


def _doubt(population: Population, strata: list[Positions]) -> NDArray[np.float64]:
    """The error rates that the confidences expect of the first stratum, the first two, and so on."""
    expected = np.cumsum([float((1 - population.confidences[one]).sum()) for one in strata])
    return np.asarray(expected / np.maximum(np.cumsum([len(one) for one in strata]), 1), np.float64)


def _kept(
    wrong: NDArray[np.int64], rounds: int, risks: NDArray[np.float64], promise: Promise
) -> tuple[int, float]:
    """How many strata pass, and the risk of being unlucky that their bound was allowed.

    The fallback procedure: a bound may take its own risk and, where the one before held, that one's too.
    """
    kept, held, own = 0, 0.0, 1 - promise.certainty
    for count, risk in enumerate(risks, start=1):
        held += risk
        if held and upper_bound(wrong[count - 1], count * rounds, 1 - held) <= promise.error:
            kept, own = count, held
        else:
            held = 0.0
    return kept, own


def _risks(doubt: NDArray[np.float64], rounds: int, promise: Promise) -> NDArray[np.float64]:
    """The risk of being unlucky, shared out among ``STARTS`` counts of strata to begin with.

    The most strata that pass nine times in ten, if the confidences are right, or else the likeliest to pass;
    and two thirds and a third of these, if they promise too much. No verdict is looked at: that would be
    cheating.
    """
    risks = np.zeros(len(doubt))
    chances = [
        _chance(error, count * rounds, promise) for count, error in enumerate(doubt, start=1)
    ]
    likely = [count for count, chance in enumerate(chances, start=1) if chance >= 0.9]
    most = likely[-1] if likely else int(np.argmax(chances)) + 1 if chances else 0
    for part in range(1, STARTS + 1 if most else 0):
        risks[-(-most * part // STARTS) - 1] += (1 - promise.certainty) / STARTS
    return risks


def _chance(error: float, sampled: int, promise: Promise) -> float:
    """The probability that a sample passes whose regions have this error rate."""
    allowed = _most_wrong(sampled, promise)
    return 0.0 if allowed < 0 else float(binom.cdf(allowed, sampled, error))


@cache
def _most_wrong(sampled: int, promise: Promise) -> int:
    """How many of a sample may be wrong where a start takes it; -1 where even none is too many."""
    certainty = 1 - (1 - promise.certainty) / STARTS
    # P(X <= k) <= 1 - certainty at the limit: the same test as that of the bound.
    allowed = int(binom.ppf(1 - certainty, sampled, promise.error))
    while allowed >= 0 and upper_bound(allowed, sampled, certainty) > promise.error:
        allowed -= 1
    return allowed


def _next_step(
    kept: int,
    wrong: NDArray[np.int64],
    doubt: NDArray[np.float64],
    sizes: list[int],
    rounds: int,
    promise: Promise,
) -> tuple[int | None, float]:
    """How many more reviews would let more strata pass, if errors go on as they are, and what share then.

    The least that brings a step; error rates are those of the sample or, before there is one, the doubt.
    """
    total, most = len(sizes), min(sizes, default=0)
    # A twentieth more at a time: an estimate needs no finer steps.
    steps = np.geomspace(rounds + 1, max(most, rounds + 1), 100).astype(int)
    for more_rounds in (one for one in np.unique(steps).tolist() if rounds < one <= most):
        for count in range(total, kept, -1):
            seen = count * rounds
            rate = wrong[count - 1] / seen if seen else float(doubt[count - 1])
            sampled = count * more_rounds
            if math.ceil(rate * sampled) <= _most_wrong(sampled, promise):
                return (more_rounds - rounds) * total, count / total
    return None, kept / total if total else 0.0


def _prefix(flags: NDArray[np.bool_]) -> int:
    """How many are true before the first that isn't."""
    return int(np.argmin(flags)) if not flags.all() else len(flags)
