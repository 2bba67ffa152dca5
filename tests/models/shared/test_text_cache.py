from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssa.models.shared.text_cache import LabelCache


def upper(labels: list[str]) -> list[str]:
    return [label.upper() for label in labels]


def recording(computed: list[list[str]]) -> Callable[[list[str]], list[str]]:
    """Computes, and remembers what it was asked for."""

    def compute(labels: list[str]) -> list[str]:
        computed.append(labels)
        return upper(labels)

    return compute


@given(st.lists(st.lists(st.sampled_from("abcdef"))), st.integers(1, 7), st.integers(1, 4))
def test_it_says_what_computing_afresh_would(
    requests: list[list[str]], capacity: int, batch: int
) -> None:
    cache = LabelCache[str](upper, capacity, batch)
    for request in requests:
        assert cache.get(request) == upper(request)
        assert len(cache) <= capacity


def test_each_label_is_computed_once() -> None:
    computed: list[list[str]] = []
    cache = LabelCache[str](recording(computed), 10, batch=2)
    cache.get(["dog", "cat", "dog"])
    cache.get(["cat"])
    cache.get(["cat", "sky", "sea"])
    assert computed == [["dog", "cat"], ["sky", "sea"]]


@given(st.lists(st.lists(st.text("ab", min_size=1, max_size=4))), st.integers(1, 5))
def test_every_batch_is_full_and_of_one_length(requests: list[list[str]], batch: int) -> None:
    computed: list[list[str]] = []
    cache = LabelCache[str](recording(computed), 100, batch, len)
    for request in requests:
        assert cache.get(request) == upper(request)
    assert all(len(labels) == batch for labels in computed)
    assert all(len(set(map(len, labels))) == 1 for labels in computed)


def test_the_label_unused_for_longest_goes_first() -> None:
    computed: list[list[str]] = []
    cache = LabelCache[str](recording(computed), 2, batch=1)
    for label in ("dog", "cat", "dog", "sky", "dog", "cat"):
        cache.get([label])
    assert computed == [["dog"], ["cat"], ["sky"], ["cat"]]


def test_one_thread_computes_at_a_time() -> None:
    def compute(labels: list[str]) -> list[str]:
        assert cache._lock.locked()
        return upper(labels)

    cache = LabelCache[str](compute, 3, batch=2)
    requests = [["dog"], ["cat", "dog"], ["sky", "sea", "cat"], ["road"]] * 50
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(cache.get, requests)) == [upper(request) for request in requests]


@pytest.mark.parametrize(("capacity", "batch"), [(0, 1), (1, 0)])
def test_a_cache_of_nothing_is_refused(capacity: int, batch: int) -> None:
    with pytest.raises(ValueError, match=f"at least 1; got {capacity} and {batch}"):
        LabelCache[str](upper, capacity, batch)
