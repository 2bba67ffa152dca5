"""Regions of several pictures before a dense ranker: one look each, answers in the order asked."""

from __future__ import annotations

import numpy as np

from ssa.labelling.dense import choose_densely, rank_densely
from ssa.pictures.regions import ManyRegions, Regions
from tests.fakes import FakeDenseRanker, FakeRanker, proposal, squares

CANDIDATES = [tuple("x" * (length + 1) for length in range(count)) for count in (1, 2, 3, 4, 2, 3)]


def several() -> ManyRegions:
    """Four, none and two squares, of pictures of three sizes."""
    sizes = [(20, 20), (7, 7), (10, 20)]
    pictures = [np.full((*size, 3), shade, np.uint8) for shade, size in enumerate(sizes)]
    masks = [squares(20, 20, 10), [], squares(10, 20, 10)]
    return ManyRegions(
        [
            Regions(picture, [proposal(mask) for mask in own])
            for picture, own in zip(pictures, masks, strict=True)
        ]
    )


def test_each_region_is_asked_for_with_its_own_picture_and_candidates() -> None:
    ranker, regions = FakeDenseRanker(), several()
    order = [5, 0, 1, 4, 3, 2]
    asked = [CANDIDATES[i] for i in order]
    found = rank_densely(ranker, regions, order, asked)
    assert found == FakeRanker().rank([], asked)
    assert [len(masks) for masks in ranker.masks] == [1, 2, 1, 2]
    assert [mask for masks in ranker.masks for mask in masks] == [
        regions.proposals[i].rle for i in order
    ]


def test_a_picture_is_looked_at_once_by_each_ranker_and_one_without_regions_never() -> None:
    ranker, other, regions = FakeDenseRanker(), FakeDenseRanker(), several()
    for _ in range(2):
        rank_densely(ranker, regions, range(6), CANDIDATES)
        choose_densely(ranker, regions, range(6), CANDIDATES)
    assert [image.shape[:2] for image in ranker.looks] == [(20, 20), (10, 20)]
    choose_densely(other, regions, range(6), CANDIDATES)
    assert len(other.looks) == 2


def test_the_best_few_and_shares_come_through() -> None:
    ranker, regions = FakeDenseRanker(), several()
    assert [len(own) for own in rank_densely(ranker, regions, range(6), CANDIDATES, 2)] == [
        *(1, 2, 2, 2, 2, 2)
    ]
    shares = choose_densely(ranker, regions, [3, 5], CANDIDATES[2:4])
    assert [own[0].label for own in shares] == ["xxx", "xxxx"]
