"""From scores on a grid to the best class of each pixel."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ssa.masks.run_lengths import encode
from ssa.models.shared import class_scores as label_maps
from ssa.models.shared import coarse
from ssa.models.shared.class_scores import ClassGrid, best_class, label_map, possible_winners


def test_bands_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = torch.rand(5, 13, 17, generator=torch.Generator().manual_seed(0))
    whole = best_class(scores, (61, 40)).ids
    monkeypatch.setattr(label_maps, "BAND_NUMBERS", 1)
    np.testing.assert_array_equal(best_class(scores, (61, 40)).ids, whole)
    monkeypatch.setattr(label_maps, "BULK_BAND_NUMBERS", 40 * 5 * 3)
    np.testing.assert_array_equal(best_class(scores, (61, 40), in_bulk=True).ids, whole)


@pytest.mark.parametrize("size_hw", [(61, 40), (5, 40), (61, 3), (4, 5)])
@pytest.mark.parametrize("antialias", [True, False])
def test_same_as_resizing_all_and_taking_the_best(
    size_hw: tuple[int, int], antialias: bool
) -> None:
    scores = torch.rand(5, 13, 17, generator=torch.Generator().manual_seed(0))
    whole = torch.nn.functional.interpolate(
        scores[None], size_hw, mode="bilinear", antialias=antialias
    )
    np.testing.assert_array_equal(best_class(scores, size_hw, antialias).ids, whole[0].argmax(0))


def test_of_a_large_picture_nearly_every_pixel_has_the_class_of_a_finer_grid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where classes meet, a pixel of the coarser grid decides for its neighbours."""
    scores = torch.rand(5, 8, 9, generator=torch.Generator().manual_seed(0))
    exact = best_class(scores, (600, 900)).ids
    monkeypatch.setattr(coarse, "MOST_PIXELS_COMPARED", 500_000)
    monkeypatch.setattr(coarse, "LONGEST_SIDE_COMPARED", 300)
    found = best_class(scores, (600, 900), coarse=True).ids
    assert torch.equal(best_class(scores, (600, 900)).ids, exact)
    assert found.shape == (200, 300)
    assert found.dtype == exact.dtype
    each = found[coarse.nearest(200, 600)][:, coarse.nearest(300, 900)]
    assert 0.98 < (each == exact).float().mean() < 1


@pytest.mark.parametrize("in_bulk", [False, True])
@pytest.mark.parametrize("size_hw", [(6, 8), (13, 29)])
def test_a_map_counts_for_the_pictures_pixels_whatever_its_grid(
    size_hw: tuple[int, int], in_bulk: bool
) -> None:
    chance = np.random.default_rng(0)
    ids = torch.from_numpy(chance.integers(0, 3, (6, 8)).astype(np.int16))
    mask = chance.random(size_hw) < 0.4
    grid = ClassGrid(ids, torch.arange(3))
    found = label_map("own", ("a", "b", "c"), grid, size_hw, in_bulk=in_bulk)
    assert np.array_equal(found.class_ids, ids)
    each = ids.numpy()[coarse.nearest(6, size_hw[0])][:, coarse.nearest(8, size_hw[1])]
    assert found.count is not None
    assert found.count([encode(mask)]).tolist() == [np.bincount(each[mask], minlength=3).tolist()]


def test_each_cell_of_the_grid_lands_where_it_belongs() -> None:
    scores = torch.eye(6).reshape(6, 2, 3)
    expected = np.arange(6).reshape(2, 3).repeat(10, axis=0).repeat(10, axis=1)
    np.testing.assert_array_equal(best_class(scores, (20, 30)).ids, expected)


@given(st.integers(0, 2**63 - 1), st.integers(1, 5), st.integers(1, 6), st.integers(0, 9))
@settings(deadline=None)
def test_looking_at_possible_winners_alone_changes_no_pixel(
    seed: int, height: int, width: int, more: int
) -> None:
    chance = torch.Generator().manual_seed(seed)
    scores = torch.rand(8, height, width, generator=chance) ** 3
    size_hw = height + more, width + 2 * more
    resized = torch.nn.functional.interpolate(scores[None], size_hw, mode="bilinear")[0]
    best, runner_up = resized.topk(2, dim=0).values
    clear = (best - runner_up > 1e-5).numpy()
    np.testing.assert_array_equal(
        best_class(scores, size_hw).ids.numpy()[clear], resized.argmax(dim=0).numpy()[clear]
    )


def test_where_a_picture_shrinks_the_second_everywhere_may_be_first() -> None:
    scores = torch.zeros(4, 9, 9)
    for number, columns in enumerate([slice(0, 4), slice(3, 7), slice(6, 9)]):
        scores[number, :, columns] = 1
    scores[3] = 0.6  # below another one between any two columns, above each over all of them
    assert 3 not in possible_winners(scores)
    assert best_class(scores, (1, 1)).ids.tolist() == [[3]]


@pytest.mark.parametrize("size_hw", [(40, 60), (3, 5)])
def test_it_is_known_which_classes_there_may_be(size_hw: tuple[int, int]) -> None:
    scores = torch.rand(7, 6, 9, generator=torch.Generator().manual_seed(0))
    scores[[1, 4]] -= 2.0  # These win nowhere.
    found = best_class(scores, size_hw)
    assert set(found.ids.unique().tolist()) <= set(found.classes.tolist())
    mask = encode(np.ones(size_hw, np.bool_))
    count = label_map("own", tuple("abcdefg"), found, size_hw, in_bulk=True).count
    assert count is not None
    assert count([mask])[0].tolist() == found.ids.flatten().long().bincount(minlength=7).tolist()


def test_a_class_that_is_nowhere_near_the_best_is_left_out() -> None:
    scores = torch.zeros(4, 3, 3)
    scores[1], scores[3, 0, 0] = 0.5, 0.9
    assert possible_winners(scores).tolist() == [1, 3]
