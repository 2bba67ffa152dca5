"""What the two decoders are made of: attention and a feed-forward network, each added and normalised.

They take over the weights of transformers' modules. All inputs are (1, N, C), of one picture.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Attention(nn.Module):
    """Multi-head attention of any kind, by its four linear layers."""

    def __init__(
        self, query: nn.Linear, key: nn.Linear, value: nn.Linear, out: nn.Linear, heads: int
    ) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = query, key, value, out
        self._heads = heads

    @classmethod
    def of(cls, plain: Any) -> Attention:
        """With the weights of torch's module or of transformers' own for OneFormer."""
        if not isinstance(plain, nn.MultiheadAttention):
            layers = plain.q_proj, plain.k_proj, plain.v_proj, plain.out_proj
            return cls(*layers, plain.num_heads)
        weights, biases = plain.in_proj_weight.chunk(3), plain.in_proj_bias.chunk(3)
        query, key, value = map(_linear, weights, biases)
        return cls(query, key, value, plain.out_proj, plain.num_heads)

    def forward(
        self, queries: Tensor, keys: Tensor, values: Tensor, allowed: Tensor | None = None
    ) -> Tensor:
        """(1, Q, C) look at (1, S, C), where ``allowed`` (1, 1, Q, S) bool: everywhere if left out."""
        query, key, value = (
            layer(each).unflatten(-1, (self._heads, -1)).transpose(1, 2)
            for layer, each in (
                (self.query, queries),
                (self.key, keys),
                (self.value, values),
            )
        )
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=allowed)
        out: Tensor = self.out(seen.transpose(1, 2).flatten(2))
        return out


class Looking(nn.Module):
    """Attention, added to what looks and normalised."""

    def __init__(self, attention: Any, norm: nn.LayerNorm) -> None:
        super().__init__()
        self.attention, self.norm = Attention.of(attention), norm

    def among_themselves(self, x: Tensor, positions: Tensor) -> Tensor:
        """(1, Q, C) look at one another; positions are added to what asks and is asked, not to answers."""
        placed = x + positions
        looked: Tensor = self.norm(x + self.attention(placed, placed, x))
        return looked

    def forward(
        self,
        x: Tensor,
        positions: Tensor,
        keys: Tensor,
        values: Tensor,
        allowed: Tensor | None = None,
    ) -> Tensor:
        """(1, Q, C) look at others (1, S, C)."""
        looked: Tensor = self.norm(x + self.attention(x + positions, keys, values, allowed))
        return looked


class FeedForward(nn.Module):
    """Two linear layers, added to their input and normalised."""

    def __init__(self, wide: nn.Linear, narrow: nn.Linear, norm: nn.LayerNorm) -> None:
        super().__init__()
        self.wide, self.narrow, self.norm = wide, narrow, norm

    def forward(self, x: Tensor) -> Tensor:
        """(1, N, C) to the same."""
        out: Tensor = self.norm(x + self.narrow(self.wide(x).relu_()))
        return out


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    layer = nn.Linear(1, 1, device="meta")
    layer.weight = nn.Parameter(weight, requires_grad=False)
    layer.bias = nn.Parameter(bias, requires_grad=False)
    return layer


def flat(maps: Tensor) -> Tensor:
    """A map (1, C, h, w) as its cells (1, h · w, C), row by row."""
    return torch.flatten(maps, 2).transpose(1, 2)
