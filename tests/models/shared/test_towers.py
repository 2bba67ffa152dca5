from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional
from transformers.activations import GELUActivation, QuickGELUActivation

from ssa.models.shared import towers
from ssa.models.shared.towers import SelfAttention, attend, in_place, joint


def draw(*shape: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    chance = torch.Generator().manual_seed(seed)
    query, key, value = torch.randn(3, *shape, generator=chance)
    return query, key, value


@given(st.integers(0, 999), st.integers(1, 3), st.integers(1, 5), st.integers(1, 40))
@settings(deadline=None)
def test_two_products_say_what_the_fused_kernel_says(
    seed: int, n: int, heads: int, tokens: int
) -> None:
    query, key, value = draw(n, heads, tokens, 8, seed=seed)
    torch.testing.assert_close(
        towers._attend_in_two_products(query, key, value),
        functional.scaled_dot_product_attention(query, key, value),
        atol=1e-5,
        rtol=1e-5,
    )


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_few_bits_say_much_the_same(dtype: torch.dtype) -> None:
    parts = draw(2, 3, 50, 16)
    low = attend(*(part.to(dtype) for part in parts))
    assert low.dtype == dtype
    torch.testing.assert_close(low.float(), attend(*parts), atol=0.02, rtol=0.02)


def test_the_joint_layer_gives_what_its_parts_give() -> None:
    parts = [nn.Linear(6, size) for size in (4, 5)]
    inputs = torch.randn(3, 6)
    together = joint(*parts)(inputs)
    torch.testing.assert_close(together, torch.cat([part(inputs) for part in parts], dim=1))


def test_same_as_torchs_own_multi_head_attention() -> None:
    theirs = nn.MultiheadAttention(12, 3, batch_first=True).eval()
    qkv = nn.Linear(12, 36)
    qkv.weight, qkv.bias = theirs.in_proj_weight, theirs.in_proj_bias
    inputs = torch.randn(2, 7, 12)
    with torch.inference_mode():
        expected, _ = theirs(inputs, inputs, inputs)
        mine, weights = SelfAttention(qkv, theirs.out_proj, heads=3)(inputs)
    assert weights is None
    torch.testing.assert_close(mine, expected)


@pytest.mark.parametrize("kind", [GELUActivation, QuickGELUActivation, nn.ReLU])
def test_activations_in_place_say_the_same(kind: type[nn.Module]) -> None:
    values = torch.linspace(-8, 8, 101)
    expected = kind()(values)
    assert in_place(kind())(values) is values
    torch.testing.assert_close(values, expected, atol=1e-5, rtol=1e-5)


def test_an_unknown_activation_stays() -> None:
    tanh = nn.Tanh()
    assert in_place(tanh) is tanh
