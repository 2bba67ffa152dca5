"""Which regions of a file are ours: by id, by overlap, by name among equals."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ssa.formats.foreign import ForeignRegion
from ssa.masks.run_lengths import encode
from ssa.review.matching import matched
from ssa.review.replay import RegionNow
from ssa.types import BoolMask


def bar(start: int, stop: int) -> BoolMask:
    mask = np.zeros((1, 40), np.bool_)
    mask[0, start:stop] = True
    return mask


def ours(number: int, mask: BoolMask, label: str = "cat", reviewed: str = "none") -> RegionNow:
    return RegionNow(number, encode(mask), label, "", number, reviewed)  # type: ignore[arg-type]


def theirs(mask: BoolMask, label: str = "cat", region: str | None = None) -> ForeignRegion:
    return ForeignRegion(encode(mask), label, region)


def pairs(regions: list[RegionNow], others: list[ForeignRegion]) -> list[tuple[int, int]]:
    return sorted(matched(regions, others, lambda one, other: one.label == other.label))


def test_nine_tenths_are_the_same_and_less_is_not() -> None:
    assert pairs([ours(0, bar(0, 20))], [theirs(bar(0, 18))]) == [(0, 0)]
    assert pairs([ours(0, bar(0, 20))], [theirs(bar(0, 17))]) == []


def test_an_id_that_survived_holds_for_half_of_the_mask() -> None:
    assert pairs([ours(5, bar(0, 20))], [theirs(bar(0, 10), "dog", "5")]) == [(0, 0)]
    assert pairs([ours(5, bar(0, 20))], [theirs(bar(0, 9), "cat", "5")]) == []
    # Of an earlier run, whose ids were others.
    assert pairs(
        [ours(0, bar(0, 20)), ours(1, bar(20, 40))],
        [theirs(bar(0, 20), "cat", "1"), theirs(bar(20, 40), "cat", "0")],
    ) == [(0, 0), (1, 1)]


def test_an_id_goes_before_a_greater_overlap_and_a_copy_counts_once() -> None:
    others = [theirs(bar(0, 20)), theirs(bar(0, 15), "cat", "0"), theirs(bar(0, 16), "cat", "0")]
    assert pairs([ours(0, bar(0, 20))], others) == [(0, 1)]


def test_of_equals_names_decide_and_then_what_was_not_rejected() -> None:
    regions = [ours(0, bar(0, 5), "cat"), ours(1, bar(0, 5), "dog")]
    others = [theirs(bar(0, 5), "dog"), theirs(bar(0, 5), "cat")]
    assert pairs(regions, others) == [(0, 1), (1, 0)]
    regions = [ours(0, bar(0, 5), "cat", "rejected"), ours(1, bar(0, 5), "cat")]
    assert pairs(regions, others[1:]) == [(1, 0)]


@given(st.lists(arrays(np.bool_, (3, 4)), max_size=5), st.randoms(use_true_random=False))
def test_the_same_regions_in_any_order_find_themselves(
    masks: list[BoolMask], chance: object
) -> None:
    regions = [ours(i, mask, "cat" if i % 2 else "dog") for i, mask in enumerate(masks)]
    order = list(range(len(masks)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    others = [theirs(masks[i], regions[i].label or "") for i in order]
    found = pairs(regions, others)
    assert sorted(i for i, _ in found) == list(range(len(masks)))
    assert sorted(j for _, j in found) == list(range(len(masks)))
    for i, j in found:
        assert (regions[i].mask, regions[i].label) == (others[j].mask, others[j].label)
