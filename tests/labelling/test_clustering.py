"""Grouping by looks: embeddings against a plain version over all pixels, groups, and their names."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from fakes import proposal
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ssa.config import PUBLISHED_CLUSTERS, ClusterSettings
from ssa.labelling.clustering import NOISE, cluster, mask_embeddings, representatives, vote_on_name
from ssa.types import BoolMask, ImageEmbedding

DEFAULTS = ClusterSettings()
PLAIN = replace(DEFAULTS, standardised=False)
TOUCHED = replace(PLAIN, weighting="touched")


def embedding(
    cells_hw: tuple[int, int], extent_hw: tuple[float, float] | None = None, seed: int = 0
) -> ImageEmbedding:
    """Noise about a large common part, 5 channels deep."""
    features = np.random.default_rng(seed).normal(3, 1, (5, *cells_hw)).astype(np.float32)
    return ImageEmbedding(features, extent_hw or (float(cells_hw[0]), float(cells_hw[1])))


def filled(height: int, width: int, *boxes: tuple[int, int, int, int]) -> BoolMask:
    mask = np.zeros((height, width), np.bool_)
    for left, top, right, bottom in boxes:
        mask[top:bottom, left:right] = True
    return mask


# --- embeddings -------------------------------------------------------------------------------------


def slow_cover(seen: ImageEmbedding, mask: BoolMask) -> NDArray[np.float64]:
    """What the mask covers of every cell, pixel by pixel over the whole picture."""
    (high, wide), (height, width) = seen.extent_hw, mask.shape
    covered = np.zeros(seen.features.shape[1:])

    def shared(pixel: int, size: int, extent: float, cell: int) -> float:
        start, stop = pixel * extent / size, (pixel + 1) * extent / size
        return max(0.0, min(stop, cell + 1) - max(start, cell))

    for y, x in np.argwhere(mask):
        down = [shared(y, height, high, row) for row in range(covered.shape[0])]
        across = [shared(x, width, wide, column) for column in range(covered.shape[1])]
        covered += np.outer(down, across)
    return covered


def slow_embedding(
    seen: ImageEmbedding, mask: BoolMask, chosen: ClusterSettings
) -> NDArray[np.float64]:
    features = seen.features.astype(np.float64)
    if chosen.standardised:
        shares = slow_cover(seen, np.ones_like(mask))
        channels = features.reshape(len(features), -1)
        mean = np.average(channels, axis=1, weights=shares.ravel())
        spread = np.average((channels.T - mean) ** 2, axis=0, weights=shares.ravel()) ** 0.5
        features = (features - mean[:, None, None]) / spread[:, None, None]
    covered = slow_cover(seen, mask)
    weights = covered
    if chosen.weighting == "touched":
        weights = np.where(covered > 1 / 256, 1.0, 0.0)
        if not weights.any():
            weights = np.where(covered > 1e-12, 1.0, 0.0)
    return np.asarray((features * weights).sum((1, 2)) / weights.sum())


@given(
    height=st.integers(1, 24),
    width=st.integers(1, 24),
    cells_hw=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    padding_hw=st.tuples(st.sampled_from([0.0, 0.25, 0.6]), st.sampled_from([0.0, 0.5, 0.9])),
    chosen=st.sampled_from([DEFAULTS, PLAIN, PUBLISHED_CLUSTERS]),
    data=st.data(),
)
@settings(max_examples=60, deadline=None)
def test_embeddings_are_those_of_the_plain_version(
    height: int,
    width: int,
    cells_hw: tuple[int, int],
    padding_hw: tuple[float, float],
    chosen: ClusterSettings,
    data: st.DataObject,
) -> None:
    extent = (cells_hw[0] - padding_hw[0], cells_hw[1] - padding_hw[1])
    seen = embedding(cells_hw, extent)
    if min(cells_hw) == 1 and max(cells_hw) == 1:
        chosen = replace(chosen, standardised=False)  # A single cell has no spread.
    left, top = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    right, bottom = data.draw(st.integers(left, width)), data.draw(st.integers(top, height))
    mask = filled(height, width, (left, top, right, bottom), (left, top, left + 1, top + 1))
    (found,) = mask_embeddings(seen, [proposal(mask)], chosen)
    assert found == pytest.approx(slow_embedding(seen, mask, chosen), abs=2e-4, rel=1e-4)


@pytest.mark.parametrize("chosen", [DEFAULTS, PUBLISHED_CLUSTERS])
def test_masks_with_holes_and_islands_too(chosen: ClusterSettings) -> None:
    seen = embedding((4, 6), (3.5, 6.0))
    mask = filled(35, 60, (3, 2, 25, 20), (50, 30, 58, 34))
    mask[6:14, 8:19] = False
    (found,) = mask_embeddings(seen, [proposal(mask)], chosen)
    assert found == pytest.approx(slow_embedding(seen, mask, chosen), abs=1e-4)


def test_one_row_a_mask_in_their_order() -> None:
    seen = embedding((4, 4))
    masks = [filled(64, 64, (16 * i, 0, 16 * i + 16, 16)) for i in (2, 0, 3)]
    found = mask_embeddings(seen, [proposal(mask) for mask in masks], PLAIN)
    assert found.dtype == np.float32
    assert found == pytest.approx(seen.features[:, 0, [2, 0, 3]].T)
    assert mask_embeddings(seen, [], PLAIN).shape == (0, 5)


def test_a_published_cell_holds_more_than_one_of_its_256_pixels() -> None:
    seen = embedding((4, 4))
    one = filled(64, 64, (0, 0, 16, 16), (16, 0, 17, 1))
    two = filled(64, 64, (0, 0, 16, 16), (16, 0, 18, 1))
    found = mask_embeddings(seen, [proposal(one), proposal(two)], TOUCHED)
    assert found[0] == pytest.approx(seen.features[:, 0, 0])
    assert found[1] == pytest.approx(seen.features[:, 0, :2].mean(axis=1))


@pytest.mark.parametrize("chosen", [PLAIN, TOUCHED])
def test_a_mask_of_one_pixel_has_the_cell_it_lies_in(chosen: ClusterSettings) -> None:
    seen = embedding((4, 4))
    (found,) = mask_embeddings(seen, [proposal(filled(64, 64, (40, 20, 41, 21)))], chosen)
    assert found == pytest.approx(seen.features[:, 1, 2])
    (found,) = mask_embeddings(seen, [proposal(filled(6400, 640, (639, 0, 640, 1)))], chosen)
    assert found == pytest.approx(seen.features[:, 0, 3])


def test_a_cell_counts_by_the_share_of_it_that_is_covered() -> None:
    features = np.zeros((2, 1, 2), np.float32)
    features[0, 0, 0] = features[1, 0, 1] = 1
    seen = ImageEmbedding(features, (1.0, 2.0))
    mask = [proposal(filled(16, 32, (0, 0, 20, 16)))]  # All of one cell, a quarter of the other.
    assert mask_embeddings(seen, mask, PLAIN)[0] == pytest.approx([4 / 5, 1 / 5])
    assert mask_embeddings(seen, mask, TOUCHED)[0] == pytest.approx([1 / 2, 1 / 2])


def test_what_lies_in_the_padding_counts_for_nothing() -> None:
    seen = embedding((4, 4), (2.5, 4.0))
    features = seen.features.copy()
    features[:, 3] = 1e6
    masks = [proposal(filled(25, 40, box)) for box in ((0, 0, 40, 25), (5, 12, 20, 25))]
    padded = mask_embeddings(ImageEmbedding(features, seen.extent_hw), masks, DEFAULTS)
    assert padded == pytest.approx(mask_embeddings(seen, masks, DEFAULTS))


def test_standardised_embeddings_forget_a_channels_place_and_scale() -> None:
    seen = embedding((4, 5))
    scale, shift = np.array([1.0, 7, 0.2, 3, 50]), np.array([0.0, -4, 9, 2, 300])
    other = (seen.features * scale[:, None, None] + shift[:, None, None]).astype(np.float32)
    masks = [proposal(filled(40, 50, box)) for box in ((0, 0, 15, 12), (22, 9, 50, 40))]
    expected = mask_embeddings(seen, masks, DEFAULTS)
    found = mask_embeddings(ImageEmbedding(other, seen.extent_hw), masks, DEFAULTS)
    assert found == pytest.approx(expected, abs=1e-3)
    assert mask_embeddings(seen, masks, PLAIN) != pytest.approx(expected, abs=0.5)


def test_a_dead_channel_and_an_empty_mask_are_no_trouble() -> None:
    features = embedding((4, 4)).features.copy()
    features[2] = 7
    masks = [proposal(filled(64, 64, (0, 0, 30, 30))), proposal(filled(64, 64))]
    for chosen in (DEFAULTS, PUBLISHED_CLUSTERS):
        found = mask_embeddings(ImageEmbedding(features, (4.0, 4.0)), masks, chosen)
        assert np.isfinite(found).all()
        assert not found[1].any()


# --- groups -----------------------------------------------------------------------------------------


def directions(*degrees: float) -> NDArray[np.float32]:
    turns = np.radians(degrees)
    return np.stack([np.cos(turns), np.sin(turns)], axis=1).astype(np.float32)


def test_groups_are_numbered_by_size_and_strangers_are_noise() -> None:
    embeddings = directions(90, 0, 200, 4, 92, 355, 300, 94, 8)
    found = cluster(embeddings, replace(DEFAULTS, eps=0.02))
    assert found == (1, 0, NOISE, 0, 1, 0, NOISE, 1, 0)


def test_of_equally_large_groups_the_first_seen_is_first() -> None:
    assert cluster(directions(90, 0, 91, 1), replace(DEFAULTS, eps=0.02)) == (0, 1, 0, 1)
    assert cluster(directions(0, 90, 91, 1), replace(DEFAULTS, eps=0.02)) == (0, 1, 1, 0)


def test_length_is_nothing_and_direction_all() -> None:
    embeddings = directions(0, 1, 90, 91) * np.array([[0.001], [80], [1], [1000]], np.float32)
    assert cluster(embeddings, replace(DEFAULTS, eps=0.02)) == (0, 0, 1, 1)


def test_a_group_has_as_many_as_are_asked_for() -> None:
    embeddings = directions(0, 1, 90, 91, 92)
    assert cluster(embeddings, replace(DEFAULTS, eps=0.02, min_samples=3)) == (-1, -1, 0, 0, 0)
    assert cluster(embeddings, PUBLISHED_CLUSTERS) == (NOISE,) * 5


def test_no_region_one_region_and_regions_without_looks() -> None:
    assert cluster(np.zeros((0, 4), np.float32), DEFAULTS) == ()
    assert cluster(directions(30), DEFAULTS) == (NOISE,)
    assert cluster(directions(30), replace(DEFAULTS, min_samples=1)) == (0,)
    nothing = np.concatenate([directions(0, 1), np.zeros((2, 2), np.float32)])
    assert cluster(nothing, DEFAULTS) == (0, 0, NOISE, NOISE)


# Each 10 degrees from the next, which is 0.015 apart; the ends are 0.36 apart.
CHAIN = (0, 10, 20, 30, 40, 50)


def test_a_chain_is_taken_apart_if_asked() -> None:
    chain = replace(DEFAULTS, eps=0.02, cohesive=False)
    assert cluster(directions(*CHAIN), chain) == (0,) * 6
    apart = cluster(directions(*CHAIN), replace(chain, cohesive=True))
    assert sorted(apart) == [0, 0, 1, 1, 2, 2]
    assert apart[0] == apart[1] != apart[4] == apart[5]


def test_the_parts_of_a_chain_have_as_many_as_a_group() -> None:
    chosen = replace(DEFAULTS, eps=0.02, min_samples=3)
    assert cluster(directions(*CHAIN), replace(chosen, cohesive=False)) == (0,) * 6
    assert cluster(directions(*CHAIN), chosen) == (NOISE,) * 6
    assert cluster(directions(0, 1, 2, 13, 24), chosen) == (0, 0, 0, NOISE, NOISE)


@given(st.lists(st.integers(0, 359), min_size=1, max_size=14), st.floats(0.001, 1.0))
@settings(max_examples=40, deadline=None)
def test_cohesive_groups_are_average_linkages(degrees: list[int], eps: float) -> None:
    embeddings = directions(*degrees)
    found = cluster(embeddings, replace(DEFAULTS, eps=eps))
    alike = np.clip(1 - embeddings @ embeddings.T, 0, None).astype(np.float64)
    groups = {row: [row] for row in range(len(degrees))}
    while len(groups) > 1:  # The plain way: join the two nearest groups, again and again.
        pairs = [
            (alike[np.ix_(a, b)].mean(), i, j)
            for i, a in groups.items()
            for j, b in groups.items()
            if i < j
        ]
        nearest, i, j = min(pairs)
        assume(abs(nearest - eps) > 1e-6)
        assume(sorted(value for value, *_ in pairs)[1:2] != [nearest])
        if nearest > eps:
            break
        groups[i] += groups.pop(j)
    for group in groups.values():
        ids = {found[row] for row in group}
        assert len(ids) == 1
        assert (ids == {NOISE}) == (len(group) == 1)
    assert len(set(found) - {NOISE}) == sum(len(group) > 1 for group in groups.values())


@given(st.lists(st.integers(0, 359), max_size=14), st.randoms())
@settings(max_examples=40, deadline=None)
def test_the_order_of_regions_changes_no_group(degrees: list[int], chance: Random) -> None:
    order = list(range(len(degrees)))
    chance.shuffle(order)
    # Where two are enough for a group, no member can be between two groups.
    chosen = replace(DEFAULTS, eps=0.01, cohesive=False)
    ids = cluster(directions(*degrees), chosen)
    shuffled = cluster(directions(*(degrees[i] for i in order)), chosen)
    for row, one in enumerate(order):
        for column, other in enumerate(order):
            same = ids[one] == ids[other] != NOISE
            assert (shuffled[row] == shuffled[column] != NOISE) == same


# --- names ------------------------------------------------------------------------------------------


def test_representatives_are_the_most_typical_members_first() -> None:
    embeddings = directions(0, 30, 14, 200, 20, 205)
    ids = (0, 0, 0, 1, 0, 1)
    assert representatives(ids, embeddings, 2) == {0: (2, 4), 1: (3, 5)}
    assert representatives(ids, embeddings, 10)[0] == (2, 4, 1, 0)
    assert representatives((NOISE, NOISE), embeddings[:2], 3) == {}
    assert representatives((), embeddings[:0], 3) == {}


def test_one_long_embedding_does_not_decide_who_is_typical() -> None:
    embeddings = directions(0, 2, 4, 30) * np.array([[1], [1], [1], [1000]], np.float32)
    assert representatives((0, 0, 0, 0), embeddings, 1) == {0: (2,)}


def test_the_commonest_name_wins_and_of_equal_ones_the_most_typical_members() -> None:
    assert vote_on_name(["dog", "cat", "cat"]) == "cat"
    assert vote_on_name(["dog", "cat"]) == "dog"
    assert vote_on_name(["dog", "cat", "bird", "bird", "cat"]) == "cat"
    with pytest.raises(ValueError, match="at least one"):
        vote_on_name([])
