"""Multi-scale deformable attention with its projections, as the pixel decoder and the click decoder use it.

See Zhu et al. 2020, arXiv:2010.04159.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from ssa.models.shared.deformable import deformable_attention, sizes_wh

LEVELS = 4
POINTS = 4

Sizes = Sequence[tuple[int, int]]


class DeformableAttention(nn.Module):
    """Queries look at four places of their choosing on each of four maps, with every head."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.sampling_offsets = nn.Linear(dim, heads * LEVELS * POINTS * 2)
        self.attention_weights = nn.Linear(dim, heads * LEVELS * POINTS)
        self.value_proj = nn.Linear(dim, dim)
        self.output_proj = nn.Linear(dim, dim)
        # Training puts another way to the same sums here, whose backward pass is quicker.
        self.read: Callable[[Tensor, Sizes, Tensor, Tensor], Tensor] = deformable_attention

    def values(self, maps: Tensor) -> Tensor:
        """Maps (B, S, C), one after the other, as values (B, S, heads, C / heads)."""
        return torch.unflatten(self.value_proj(maps), -1, (self.heads, -1))

    def around_points(
        self, queries: Tensor, points: Tensor, values: Tensor, sizes: Sizes
    ) -> Tensor:
        """Queries (B, Q, C) look around points (Q, 2), x and y from 0 to 1; offsets count in cells."""
        offsets = self._offsets(queries) / sizes_wh(tuple(sizes), queries.device)[:, None]
        return self._look(queries, points[:, None, None, None] + offsets, values, sizes)

    def around_boxes(self, queries: Tensor, boxes: Tensor, values: Tensor, sizes: Sizes) -> Tensor:
        """Queries (B, Q, C) look around boxes (B, Q, 4), centre and size; offsets count in half boxes."""
        centres, sides = torch.split(boxes[:, :, None, None, None], 2, dim=-1)
        places = centres + self._offsets(queries) / POINTS * sides * 0.5
        return self._look(queries, places, values, sizes)

    def _offsets(self, queries: Tensor) -> Tensor:
        offsets = self.sampling_offsets(queries)
        return torch.unflatten(offsets, -1, (self.heads, LEVELS, POINTS, 2))

    def _look(self, queries: Tensor, places: Tensor, values: Tensor, sizes: Sizes) -> Tensor:
        weights = self.attention_weights(queries).unflatten(-1, (self.heads, -1)).softmax(-1)
        weights = weights.unflatten(-1, (LEVELS, POINTS))
        seen: Tensor = self.output_proj(self.read(values, sizes, places, weights))
        return seen
