"""What may be accepted unseen: the bound, the sample, and that promises are kept as often as is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from ssa.review.draw import is_sampled
from ssa.score.guarantee import (
    RIGHT,
    UNSEEN,
    WRONG,
    Acceptance,
    Population,
    Promise,
    acceptance,
    upper_bound,
)
from tests.score.made_up import unseen

FIVE_PERCENT = Promise(0.05)


@given(st.integers(1, 400), st.data())
def test_the_bound_is_clopper_and_pearsons(sampled: int, data: st.DataObject) -> None:
    wrong = data.draw(st.integers(0, sampled))
    interval = binomtest(wrong, sampled, alternative="less").proportion_ci(0.95, "exact")
    assert upper_bound(wrong, sampled, 0.95) == pytest.approx(interval.high)


def test_how_many_have_to_be_looked_at_if_none_is_wrong() -> None:
    # A start has a third of the risk of 5 %. 0.95^80 = 0.0165 is less than 0.0167, 0.95^79 = 0.0174 is more.
    assert FIVE_PERCENT.least_sample == 80
    assert upper_bound(0, 80, 1 - 0.05 / 3) <= 0.05 < upper_bound(0, 79, 1 - 0.05 / 3)


def reviewed(population: Population, right: np.ndarray, count: int) -> Population:
    """The same after somebody has looked at the next ``count``, and was right of each."""
    verdicts = population.verdicts.copy()
    asked = population.to_review(count)
    verdicts[asked] = np.where(right[asked], RIGHT, WRONG)
    return replace(population, verdicts=verdicts)


def doubtful(count: int = 4000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Confidences that promise more than they keep, and which names are right; one in ten is wrong."""
    rng = np.random.default_rng(seed)
    chances = rng.beta(6, 0.66, count)
    return np.sqrt(chances), rng.random(count) < chances


def accepted(right: np.ndarray, confidences: np.ndarray, draw: int, count: int) -> Acceptance:
    return acceptance(reviewed(unseen(confidences, draw), right, count), FIVE_PERCENT)


@pytest.mark.parametrize("count", [400, 1200])
def test_a_promise_is_broken_in_at_most_one_draw_of_twenty(count: int) -> None:
    confidences, right = doubtful()
    found = [accepted(right, confidences, draw, count).positions for draw in range(200)]
    errors = [float((~right[own]).mean()) if len(own) else 0.0 for own in found]
    assert sum(error > FIVE_PERCENT.error for error in errors) <= 10
    assert sum(len(own) > 0 for own in found) > 100  # it is not kept by promising nothing


def test_more_reviews_take_more() -> None:
    confidences, right = doubtful()
    shares = [
        np.mean([len(accepted(right, confidences, draw, count).positions) for draw in range(20)])
        for count in (150, 400, 1200)
    ]
    assert shares == sorted(shares)
    assert shares[-1] > 0.5 * len(right)


def test_those_that_are_taken_are_the_most_confident() -> None:
    confidences, right = doubtful()
    found = accepted(right, confidences, 0, 1200)
    taken = np.zeros(len(right), np.bool_)
    taken[found.positions] = True
    assert confidences[taken].min() == found.threshold
    assert confidences[~taken].max() <= found.threshold
    assert found.bound <= 0.05
    assert found.sampled == 60 * len(found.positions) // 200  # 1,200 of 20 strata of 200 each


def test_what_was_sampled_is_spread_evenly_over_the_strata() -> None:
    population = unseen(doubtful()[0])
    asked = population.to_review(300)
    strata = population.strata()
    assert [len(np.intersect1d(one, asked)) for one in strata] == [15] * 20
    assert all(is_sampled(int(population.ranks[one])) for one in asked)
    assert len(set(asked)) == 300


def test_a_review_that_isnt_in_the_sample_changes_nothing() -> None:
    confidences, right = doubtful()
    before = reviewed(unseen(confidences), right, 400)
    verdicts = before.verdicts.copy()
    beside = before.ranks % 2 == 1
    verdicts[beside] = np.where(right[beside], RIGHT, WRONG)
    after = replace(before, verdicts=verdicts)
    assert acceptance(after, FIVE_PERCENT).threshold == acceptance(before, FIVE_PERCENT).threshold


def test_a_gap_in_the_sample_ends_it() -> None:
    """Who leaves out what is hard to tell must not gain by it."""
    confidences, right = doubtful()
    population = reviewed(unseen(confidences), right, 400)
    assert population.rounds() == 20
    verdicts = population.verdicts.copy()
    verdicts[population.sample()[7][3]] = UNSEEN
    assert replace(population, verdicts=verdicts).rounds() == 3


def test_whoever_is_always_right_is_taken_whole() -> None:
    confidences = np.linspace(0.99, 1.0, 2000)
    found = accepted(np.ones(2000, np.bool_), confidences, 0, 100)
    assert len(found.positions) == 2000
    assert (found.wrong, found.more, found.then) == (0, None, 1.0)


def test_before_anything_is_reviewed_it_says_how_much_it_takes() -> None:
    found = acceptance(unseen(np.linspace(0.9, 1.0, 2000)), FIVE_PERCENT)
    assert (len(found.positions), found.threshold, found.bound) == (0, 1.0, 1.0)
    assert found.more is not None
    assert found.more >= FIVE_PERCENT.least_sample
    assert 0 < found.then <= 1


@given(st.integers(0, 400), st.integers(0, 100))
@settings(max_examples=60, deadline=None)
def test_of_what_nobody_reviewed_nothing_is_accepted(count: int, seed: int) -> None:
    confidences = np.random.default_rng(seed).integers(0, 5, count) / 4
    assert len(acceptance(unseen(confidences, seed), FIVE_PERCENT).positions) == 0


@pytest.mark.parametrize("levels", [2, 5, 20])
def test_promises_are_kept_where_many_are_equally_sure(levels: int) -> None:
    """A head of wrong names before a long row of equals: its end lies within a stratum."""
    rng = np.random.default_rng(levels)
    confidences = np.sort(rng.integers(0, levels, 4000))[::-1] / levels
    right = rng.random(4000) < 0.97
    right[:300] = rng.random(300) < 0.6
    broken = 0
    for draw in range(200):
        found = accepted(right, confidences, draw, 600).positions
        broken += len(found) > 0 and float((~right[found]).mean()) > FIVE_PERCENT.error
    assert broken <= 10
