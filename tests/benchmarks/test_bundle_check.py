from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.bundle_check import covered

SPANS = st.tuples(st.integers(0, 50), st.integers(0, 20)).map(lambda one: (one[0], sum(one)))


@given(st.lists(SPANS))
def test_time_that_several_kernels_share_counts_once(spans: list[tuple[int, int]]) -> None:
    moments = {moment for start, end in spans for moment in range(start, end)}
    assert covered(spans) == len(moments)
