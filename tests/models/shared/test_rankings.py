"""Rankings of many regions from one table: against a softmax of each region's own row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssa.models.shared.rankings import CandidateTable, shares_ranking, softmax_ranking

LABELS = ("dog", "cat", "tree", "red car", "sky")
LISTS = st.lists(st.lists(st.sampled_from(LABELS), min_size=1, unique=True), min_size=1, max_size=5)


@given(LISTS, st.integers(0, 2**31))
def test_each_region_has_the_softmax_of_its_own_candidates(
    lists: list[list[str]], seed: int
) -> None:
    table = CandidateTable(lists)
    assert sorted(table.labels) == sorted({label for own in lists for label in own})
    shape = len(lists), len(table.labels)
    logits = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    for own, row, ranking in zip(lists, logits, table.rankings(logits), strict=True):
        powers = {label: np.exp(row[table.labels.index(label)]) for label in own}
        expected = {label: power / sum(powers.values()) for label, power in powers.items()}
        assert {one.label: one.score for one in ranking} == pytest.approx(expected, rel=1e-4)
        assert [one.score for one in ranking] == sorted(
            (one.score for one in ranking), reverse=True
        )


def test_the_best_few_are_the_first_of_all() -> None:
    table, logits = CandidateTable([LABELS]), np.arange(5, dtype=np.float32)[None]
    assert table.rankings(logits, 2) == [table.rankings(logits)[0][:2]]


def test_ties_keep_their_order() -> None:
    labels = [f"thing {i}" for i in range(40)]
    logits = np.full(40, 0.5, np.float32)
    assert [item.label for item in softmax_ranking(labels, logits)] == labels
    logits[-1] = 0.9
    assert [item.label for item in softmax_ranking(labels, logits)] == [labels[-1], *labels[:-1]]


def test_amounts_become_shares() -> None:
    found = shares_ranking(("a", "b", "c"), np.array([1, 0, 3], np.float32))
    assert [(one.label, one.score) for one in found] == [("c", 0.75), ("a", 0.25), ("b", 0.0)]
