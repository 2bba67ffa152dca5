"""Who wins the pixels of a mask, crop by crop."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from torch.nn import functional

from ssa.masks.run_lengths import encode
from ssa.models.clipseg.wins import count_wins, shrink_mask, wins_in_squares, wins_one_by_one
from ssa.models.shared import coarse
from ssa.pictures.canvas import MaskParts


def winners(rows: list[list[int]], count: int) -> torch.Tensor:
    """(K, h, w) logits in which ``rows`` name the highest at each pixel."""
    return (torch.arange(count)[:, None, None] == torch.tensor(rows)).float()


def test_wins_are_counted_inside_the_mask_only() -> None:
    mask = torch.tensor([[1, 1, 1, 1], [0, 0, 0, 0]], dtype=torch.bool)
    assert count_wins(winners([[1, 1, 1, 0], [2, 2, 2, 2]], 3), mask).tolist() == [1, 3, 0]


def test_of_equal_logits_the_first_candidate_wins_the_pixel() -> None:
    mask = torch.ones(2, 2, dtype=torch.bool)
    assert count_wins(torch.zeros(3, 2, 2), mask).tolist() == [4, 0, 0]


def test_an_empty_mask_lets_the_whole_crop_decide() -> None:
    nothing = torch.zeros(1, 3, dtype=torch.bool)
    assert count_wins(winners([[1, 1, 0]], 2), nothing).tolist() == [1, 2]


@given(st.integers(0, 2**63 - 1), st.integers(1, 6))
@settings(deadline=None)
def test_wins_are_what_argmax_counts(seed: int, count: int) -> None:
    chance = torch.Generator().manual_seed(seed)
    # Whole numbers, so that some are equal.
    logits = torch.randint(-2, 3, (count, 5, 7), generator=chance).float()
    mask = torch.rand(5, 7, generator=chance) < 0.4
    inside = logits.numpy().argmax(axis=0)[mask.numpy() if mask.any() else ...]
    expected = np.bincount(inside.ravel(), minlength=count).tolist()
    assert count_wins(logits, mask).tolist() == expected


@given(
    st_numpy.arrays(np.bool_, st_numpy.array_shapes(min_dims=2, max_dims=2, max_side=40)),
    st.data(),
)
def test_shrinking_keeps_something_of_each_mask(
    mask: np.ndarray[tuple[int, int], np.dtype[np.bool_]], data: st.DataObject
) -> None:
    size_hw = tuple(data.draw(st.integers(1, side)) for side in mask.shape)
    small = shrink_mask(mask, size_hw)  # type: ignore[arg-type]
    assert (small.shape, small.dtype) == (size_hw, np.bool_)
    assert small.any() == mask.any()
    assert small.all() or not mask.all()


def test_a_line_survives_a_hundredfold_reduction() -> None:
    mask = np.zeros((3000, 3000), np.bool_)
    mask[:, 1234] = True
    rows, columns = np.nonzero(shrink_mask(mask, (30, 30)))
    assert list(rows) == list(range(30))
    assert set(columns) == {12}


def test_in_squares_a_masks_pixels_are_the_nearest_of_its_own() -> None:
    # Of 4 x 2 pixels a 2 x 2 square takes every second row.
    mask = np.array([[1, 0], [0, 1], [0, 1], [1, 1]], np.bool_)
    logits = winners([[1, 0], [2, 0]], 3)
    (wins,) = wins_in_squares([logits], [mask], 2)
    assert wins.tolist() == [1, 1, 0]


@given(st.integers(0, 2**63 - 1), st.integers(1, 9), st.integers(1, 9))
@settings(deadline=None)
def test_squares_are_counted_as_argmax_counts(seed: int, height: int, width: int) -> None:
    chance = torch.Generator().manual_seed(seed)
    logits = torch.randn(3, 6, 6, generator=chance)
    mask = torch.rand(height, width, generator=chance) < 0.6
    (wins,) = wins_in_squares([logits], [mask.numpy()], 4)
    resized = functional.interpolate(logits[None], (4, 4), mode="bilinear")[0]
    inside = functional.interpolate(mask[None, None].float(), (4, 4))[0, 0].bool()
    best = resized.argmax(0)[inside if inside.any() else ...].flatten()
    assert wins.tolist() == torch.bincount(best, minlength=3).tolist()


def test_large_masks_need_no_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of more than 4 megapixels, with the bound brought down to what a test has time for."""
    chance = np.random.default_rng(0)
    drawn = [np.zeros((90, 130), np.bool_) for _ in range(3)]
    for mask in drawn[:2]:
        rows, columns = (np.sort(chance.integers(0, side, 2)) for side in mask.shape)
        mask[slice(*rows), slice(*columns)] = True
    boxes = [(0, 0, 130, 90), (0, 0, 130, 90), (5, 7, 90, 80)]
    parts = MaskParts([encode(mask) for mask in drawn], boxes)
    logits = list(torch.randn(3, 4, 40, 40, generator=torch.Generator().manual_seed(0)))
    plain = wins_one_by_one(logits, parts, 37)
    monkeypatch.setattr(coarse, "MOST_PIXELS_COMPARED", 3_000)
    monkeypatch.setattr(coarse, "LONGEST_SIDE_COMPARED", 50)
    monkeypatch.setattr(MaskParts, "__getitem__", None)
    gridded = wins_one_by_one(logits, parts, 37)
    for one, other in zip(gridded, plain, strict=True):
        np.testing.assert_array_equal(one, other)
