from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from ssa.models.shared.deformable import deformable_attention

on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
SIZES_HW = [(3, 5), (1, 2), (6, 4)]


def plain(
    values: Tensor, sizes_hw: list[tuple[int, int]], locations: Tensor, weights: Tensor
) -> Tensor:
    """The same, read level by level with ``grid_sample``."""
    batch, _, heads, channels = values.shape
    total = torch.zeros(batch * heads, channels, locations.shape[1])
    start = 0
    for level, (height, width) in enumerate(sizes_hw):
        level_values = values[:, start : start + height * width].permute(0, 2, 3, 1)
        start += height * width
        read = functional.grid_sample(
            level_values.reshape(batch * heads, channels, height, width),
            2 * locations[:, :, :, level].transpose(1, 2).flatten(0, 1) - 1,
            align_corners=False,
        )
        total += (read * weights[:, :, :, level].transpose(1, 2).flatten(0, 1)[:, None]).sum(-1)
    return total.view(batch, heads * channels, -1).transpose(1, 2)


def draw(seed: int, sizes_hw: list[tuple[int, int]], spread: float = 1.0) -> tuple[Tensor, ...]:
    """Values, locations (about the middle, partly outside from spread 1 on) and weights."""
    chance = torch.Generator().manual_seed(seed)
    cells = sum(h * w for h, w in sizes_hw)
    shape = 2, 7, 3, len(sizes_hw), 4
    return (
        torch.randn(2, cells, 3, 5, generator=chance),
        0.5 + spread * (torch.rand(*shape, 2, generator=chance) - 0.5) * 1.5,
        torch.rand(*shape, generator=chance),
    )


@given(
    st.integers(0, 2**63 - 1),
    st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), min_size=1, max_size=4),
)
@settings(deadline=None)
def test_same_as_sampling_level_by_level(seed: int, sizes_hw: list[tuple[int, int]]) -> None:
    values, locations, weights = draw(seed, sizes_hw)
    mine = deformable_attention(values, sizes_hw, locations, weights)
    torch.testing.assert_close(
        mine, plain(values, sizes_hw, locations, weights), atol=1e-4, rtol=1e-4
    )


@on_a_gpu
def test_a_gpu_reads_the_same() -> None:
    values, locations, weights = draw(0, SIZES_HW)
    there = deformable_attention(values.cuda(), SIZES_HW, locations.cuda(), weights.cuda())
    mine = deformable_attention(values, SIZES_HW, locations, weights)
    torch.testing.assert_close(there.cpu(), mine, atol=1e-4, rtol=1e-4)


def test_the_middle_of_a_cell_is_that_cell() -> None:
    values = torch.arange(6.0).view(1, 6, 1, 1)
    middle_of_row_1_column_2 = torch.tensor([2.5 / 3, 1.5 / 2]).view(1, 1, 1, 1, 1, 2)
    found = deformable_attention(
        values, [(2, 3)], middle_of_row_1_column_2, torch.ones(1, 1, 1, 1, 1)
    )
    assert found.item() == pytest.approx(5, abs=1e-5)


def test_far_outside_is_nothing() -> None:
    values, locations, weights = draw(0, SIZES_HW)
    found = deformable_attention(values, SIZES_HW, locations + 3, weights)
    assert not found.any()


def test_maps_that_do_not_add_up_are_refused() -> None:
    values, locations, weights = draw(0, SIZES_HW)
    with pytest.raises(ValueError, match="expected the cells of maps of"):
        deformable_attention(values[:, 1:], SIZES_HW, locations, weights)
