from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssa.label_cache import LabelCache


@given(st.lists(st.lists(st.sampled_from("abcdef"))), st.integers(1, 7))
def test_it_says_what_computing_afresh_would(requests: list[list[str]], capacity: int) -> None:
    cache = LabelCache[str](lambda labels: [label.upper() for label in labels], capacity)
    for request in requests:
        assert cache.get(request) == [label.upper() for label in request]
        assert len(cache) <= capacity


def test_each_label_is_computed_once() -> None:
    computed: list[list[str]] = []

    def compute(labels: list[str]) -> list[str]:
        computed.append(labels)
        return labels

    cache = LabelCache[str](compute, 10)
    cache.get(["dog", "cat", "dog"])
    cache.get(["cat"])
    cache.get(["cat", "sky"])
    assert computed == [["dog", "cat"], ["sky"]]


def test_the_label_unused_for_longest_goes_first() -> None:
    computed: list[str] = []
    cache = LabelCache[str](lambda labels: computed.extend(labels) or labels, 2)
    for label in ("dog", "cat", "dog", "sky", "dog", "cat"):
        cache.get([label])
    assert computed == ["dog", "cat", "sky", "cat"]


def test_a_cache_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1; got 0"):
        LabelCache[str](lambda labels: labels, 0)
