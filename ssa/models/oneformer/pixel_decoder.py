"""From the backbone's maps to cells that have seen one another, and to one fine map to draw masks of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ssa.models.oneformer.parts import FeedForward, flat
from ssa.models.shared.deformable import deformable_attention, sizes_wh
from ssa.models.shared.towers import joint

Sizes = tuple[tuple[int, int], ...]

# Pictures' sizes whose tables are kept: of a large model one takes some 0.1 GB, the query decoder's with it.
SIZES_KEPT = 2


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is to ask about: maps of ``sizes_hw``, coarsest first, each as its cells (1, h · w, C).

    A mask is the inner product of ``fine`` (1, C, H, W) with an embedding.
    """

    cells: tuple[Tensor, ...]
    sizes_hw: Sizes
    fine: Tensor


class PixelDecoder(nn.Module):
    """transformers' module of this name, with its weights, for one picture: nothing of it is padding."""

    def __init__(self, plain: Any) -> None:
        super().__init__()
        self.projections = plain.input_projections
        self.layers = nn.ModuleList(_Layer(layer) for layer in plain.encoder.layers)
        self.level_embed = plain.level_embed
        self.lateral = nn.ModuleList(plain.lateral_convs)
        self.output = nn.ModuleList(plain.output_convs)
        self.mask_projection = plain.mask_projection
        # Of its parts and not of itself, or what is let go would stay until a collection.
        made = partial(_tables_of, plain.position_embedding, plain.level_embed)
        self._tables = lru_cache(maxsize=SIZES_KEPT)(made)

    def forward(self, maps: Sequence[Tensor]) -> Seen:
        """Four maps (1, C, h, w) float32, finest first."""
        coarsest_first = maps[::-1]
        levels = [
            project(each) for project, each in zip(self.projections, coarsest_first, strict=False)
        ]
        sizes = tuple((level.shape[2], level.shape[3]) for level in levels)
        cells = torch.cat([flat(level) for level in levels], dim=1)
        tables = self._tables(sizes)
        for layer in self.layers:
            cells = layer(cells, tables)
        each = torch.split(cells, [math.prod(size) for size in sizes], dim=1)
        finest = torch.unflatten(each[-1].mT, 2, sizes[-1])
        for number, (lateral, output) in enumerate(zip(self.lateral, self.output, strict=True)):
            finer = lateral(coarsest_first[len(levels) + number])
            finest = output(finer + _enlarged(finest, finer.shape[2:]))
        return Seen(each, sizes, self.mask_projection(finest))


@dataclass(frozen=True, slots=True)
class _Tables:
    """What follows from sizes alone: ``sizes_wh`` (L, 1, 2), ``positions`` (1, S, C) and ``centres``
    (S, 1, 1, 1, 2), x and y of each cell from 0 to 1.
    """

    sizes_hw: Sizes
    sizes_wh: Tensor
    positions: Tensor
    centres: Tensor


class _Layer(nn.Module):
    """Each cell looks at a few places of its choosing on all maps, then goes through two layers by itself."""

    def __init__(self, plain: Any) -> None:
        super().__init__()
        attention = plain.self_attn
        self._shape = attention.n_heads, attention.n_levels, attention.n_points
        # Where to look and how much each place counts, both of the same queries.
        asked = attention.sampling_offsets, attention.attention_weights
        self.asked, self._widths = joint(*asked), [layer.out_features for layer in asked]
        self.value, self.out = attention.value_proj, attention.output_proj
        self.norm = plain.self_attn_layer_norm
        self.feed_forward = FeedForward(plain.fc1, plain.fc2, plain.final_layer_norm)

    def forward(self, cells: Tensor, tables: _Tables) -> Tensor:
        """(1, S, C) to the same."""
        heads, levels, points = self._shape
        asked = self.asked(cells + tables.positions)
        offsets, weights = torch.split(asked, self._widths, dim=-1)
        offsets = torch.unflatten(offsets, -1, (heads, levels, points, 2)) / tables.sizes_wh
        weights = torch.unflatten(weights, -1, (heads, -1)).softmax(-1)
        weights = torch.unflatten(weights, -1, (levels, points))
        values = self.value(cells).unflatten(-1, (heads, -1))
        seen = deformable_attention(values, tables.sizes_hw, tables.centres + offsets, weights)
        looked: Tensor = self.feed_forward(self.norm(cells + self.out(seen)))
        return looked


def _tables_of(sine_codes: Any, like: Tensor, sizes: Sizes) -> _Tables:
    """``like`` (L, C) is added to the codes of each map's places."""
    codes = [
        flat(sine_codes((1, 0, *size), like.device, like.dtype)) + own
        for size, own in zip(sizes, like, strict=True)
    ]
    centres = torch.cat([_centres(*size, like) for size in sizes])
    wide = sizes_wh(sizes, like.device)[:, None]
    return _Tables(sizes, wide, torch.cat(codes, dim=1), centres[:, None, None, None])


def _centres(height: int, width: int, like: Tensor) -> Tensor:
    """(height · width, 2): x and y of each cell's centre, from 0 to 1."""
    rows, columns = (
        (torch.arange(side, dtype=like.dtype, device=like.device) + 0.5) / side
        for side in (height, width)
    )
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], dim=1)


def _enlarged(maps: Tensor, size_hw: Sequence[int]) -> Tensor:
    return F.interpolate(maps, tuple(size_hw), mode="bilinear", align_corners=False)
