"""Quicker parts for the vision towers of any library: self-attention and activations.

They take over the weights of the parts that they replace and say the same up to rounding.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.activations import GELUActivation, QuickGELUActivation

# Heads whose scores are held at once where they are written out: 4 MB for 1,000 tokens, so in the cache.
HEADS_AT_ONCE = 2


class SelfAttention(nn.Module):
    """Multi-head self-attention without mask or dropout, around another module's weights.

    ``qkv`` projects to queries, keys and values at once, D to 3 D; ``projection`` D to D.
    """

    def __init__(self, qkv: nn.Linear, projection: nn.Linear, heads: int) -> None:
        super().__init__()
        self.qkv, self.projection = qkv, projection
        self._heads = heads

    def forward(self, hidden_states: Tensor, **_: Any) -> tuple[Tensor, None]:
        """(N, tokens, D) to the same; the second item, where transformers has weights, is None."""
        query, key, value = (
            self.qkv(hidden_states).unflatten(-1, (3, self._heads, -1)).permute(2, 0, 3, 1, 4)
        )
        attended = attend(query, key, value)
        return self.projection(attended.transpose(1, 2).flatten(2)), None


def joint(*linears: nn.Linear) -> nn.Linear:
    """One linear layer that gives what several of the same input give, one after the other."""
    together = nn.Linear(1, 1)
    together.weight = nn.Parameter(torch.cat([one.weight for one in linears]), requires_grad=False)
    together.bias = nn.Parameter(torch.cat([one.bias for one in linears]), requires_grad=False)
    return together


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """softmax(q k' / sqrt(d)) v for (N, heads, tokens, d), the same shape."""
    if query.device.type == "cpu" and query.dtype != torch.float32:
        return _attend_in_two_products(query, key, value)
    return functional.scaled_dot_product_attention(query, key, value)


def _attend_in_two_products(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """With the scores of a few heads at a time in one small buffer.

    On a CPU with 16-bit products this takes half the time of torch's fused kernel, which multiplies
    there no faster than in float32.
    """
    attended = torch.empty_like(query)
    scores = query.new_empty(HEADS_AT_ONCE, query.shape[2], key.shape[2])
    query = query * query.shape[3] ** -0.5
    for q, k, v, out in zip(query, key, value, attended, strict=True):
        for first in range(0, len(q), HEADS_AT_ONCE):
            heads = slice(first, first + HEADS_AT_ONCE)
            table = scores[: len(q[heads])]
            torch.bmm(q[heads], k[heads].transpose(1, 2), out=table)
            torch.softmax(table, dim=-1, out=table)
            torch.bmm(table, v[heads], out=out[heads])
    return attended


def in_place(activation: nn.Module) -> nn.Module:
    """An activation that overwrites its input, if one is known for ``activation``; else that itself.

    On a CPU the time goes into memory for the result: large inputs take a third of the time without.
    """
    return _IN_PLACE.get(type(activation), activation)


class _InPlaceGELU(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return torch.ops.aten.gelu_(values)  # type: ignore[no-any-return]


class _InPlaceQuickGELU(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        # x sigmoid(1.702 x)
        return functional.silu(values.mul_(1.702), inplace=True).div_(1.702)


_IN_PLACE: dict[type[nn.Module], nn.Module] = {
    GELUActivation: _InPlaceGELU(),
    QuickGELUActivation: _InPlaceQuickGELU(),
    nn.ReLU: nn.ReLU(inplace=True),
}
