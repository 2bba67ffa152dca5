"""The draw: by what regions are, half of them to learn from, and spread evenly over how sure names are."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ssa.review.draw import in_turn, is_sampled, rank_of, sample_of, strata_of

ORIGIN = "0123456789abcdef"


def drawn(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Confidences of a few levels, and ranks."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 5, count) / 4, rng.integers(0, 1 << 63, count, dtype=np.uint64)


def test_half_of_all_regions_are_for_samples() -> None:
    found = [is_sampled(rank_of(f"p/{number}.jpg", ORIGIN)) for number in range(2000)]
    assert 900 < sum(found) < 1100


def test_a_rank_is_of_picture_and_mask_alone() -> None:
    assert rank_of("p/1.jpg", ORIGIN) == rank_of("p/1.jpg", ORIGIN) < 1 << 64
    others = {rank_of("p/2.jpg", ORIGIN), rank_of("p/1.jpg", ORIGIN[::-1])}
    assert rank_of("p/1.jpg", ORIGIN) not in others
    assert rank_of("p/\ud800.jpg", ORIGIN) != rank_of("p/\ud801.jpg", ORIGIN)


@given(st.integers(0, 1500), st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_strata_are_of_one_size_and_the_surest_first(count: int, seed: int) -> None:
    confidences, ranks = drawn(count, seed)
    strata = strata_of(confidences, ranks)
    assert sorted(np.concatenate(strata).tolist()) == list(range(count))
    assert max(map(len, strata)) - min(map(len, strata)) <= 1
    assert len(strata) == min(max(count // 50, 1), 20)
    levels = confidences[np.concatenate(strata)]
    assert (np.diff(levels) <= 0).all()


@given(st.integers(0, 1500), st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_a_sample_takes_each_stratum_in_its_turn(count: int, seed: int) -> None:
    confidences, ranks = drawn(count, seed)
    strata = strata_of(confidences, ranks)
    sample = sample_of(strata, ranks)
    assert all((ranks[one] % 2 == 0).all() and (np.diff(ranks[one]) > 0).all() for one in sample)
    turns = in_turn(sample)
    assert sorted(turns) == np.flatnonzero(ranks % 2 == 0).tolist()
    stratum = {int(one): number for number, own in enumerate(strata) for one in own}
    shortest = min(map(len, sample), default=0)
    for turn in range(shortest):
        own = turns[turn * len(strata) : (turn + 1) * len(strata)]
        assert [stratum[one] for one in own] == list(range(len(strata)))


def test_the_order_of_equals_is_by_chance_and_not_by_place() -> None:
    first, *_ = strata_of(np.full(1000, 0.9), drawn(1000)[1])
    assert first.max() > 500


def test_who_is_first_among_equals_is_not_first_in_the_sample() -> None:
    """Else the sample of a stratum that begins or ends within equals would not be a fair one of it."""
    confidences, ranks = np.full(4000, 0.9), drawn(4000)[1]
    halves = [own[: len(own) // 2] for own in strata_of(confidences, ranks)]
    low = np.concatenate([ranks[own] for own in halves]) < np.uint64(1 << 62)
    assert 0.45 < low.mean() < 0.55
    first = strata_of(confidences, ranks)[0]
    assert 0.35 < (ranks[first] < np.uint64(1 << 62)).mean() < 0.65
