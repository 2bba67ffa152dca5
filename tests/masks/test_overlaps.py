"""How much masks share, against what whole pictures of them say."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ssa.masks.overlaps import ious
from ssa.masks.run_lengths import encode

LISTS = st.lists(arrays(np.bool_, (5, 4)), max_size=4)


def test_by_hand() -> None:
    none, two, all_ = np.zeros((2, 2), bool), np.eye(2, dtype=bool), np.ones((2, 2), bool)
    found = ious([encode(none), encode(two)], [encode(none), encode(all_)])
    assert found.tolist() == [[1, 0], [0, 0.5]]


@given(LISTS, LISTS)
def test_every_pair_shares_what_pixels_say(
    masks: list[np.ndarray], others: list[np.ndarray]
) -> None:
    found = ious([encode(one) for one in masks], [encode(one) for one in others])
    assert found.shape == (len(masks), len(others))
    for i, one in enumerate(masks):
        for j, other in enumerate(others):
            either = (one | other).sum()
            assert found[i, j] == ((one & other).sum() / either if either else 1)
