"""From the backbone's maps to the features that masks are drawn of, and to those that clicks look at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ssa.models.semantic_sam.attention import LEVELS, DeformableAttention, Sizes

GROUPS = 32
TEMPERATURE = 10_000.0


@dataclass(frozen=True, slots=True)
class Features:
    """What the model sees in a picture before any click.

    ``mask_features`` (B, C, H / 4, W / 4): a mask is its inner product with an embedding. ``memory``
    (B, S, C) holds four maps of ``sizes_hw``, coarsest first, each row by row.
    """

    mask_features: Tensor
    memory: Tensor
    sizes_hw: tuple[tuple[int, int], ...]


class PixelDecoder(nn.Module):
    """Four maps that have seen one another (Zhu et al. 2020), and one fine map made with the finest."""

    def __init__(
        self, in_dims: Sequence[int], dim: int, mask_dim: int, heads: int, layers: int, ffn_dim: int
    ) -> None:
        super().__init__()
        finest, *coarser = in_dims
        projections = [_projection(in_dim, dim, 1) for in_dim in coarser]
        self.input_proj = nn.ModuleList([*projections, _projection(coarser[-1], dim, 3)])
        self.transformer = _MapTransformer(dim, heads, layers, ffn_dim)
        self.adapter_1 = _NormedConv(finest, dim, 1)
        self.layer_1 = _NormedConv(dim, dim, 3)
        self.mask_features = nn.Conv2d(dim, mask_dim, 1)

    def forward(self, maps: Sequence[Tensor]) -> Features:
        """Maps at 1/4, 1/8, 1/16 and 1/32, (B, C, h, w) each; one more, at 1/64, is made of the last."""
        finest, *coarser = maps
        levels = [
            project(each)
            for project, each in zip(self.input_proj, [*coarser, coarser[-1]], strict=True)
        ]
        levels = self.transformer(levels)
        enlarged = F.interpolate(levels[0], finest.shape[-2:], mode="bilinear", align_corners=False)
        fine = F.relu(self.layer_1(self.adapter_1(finest) + enlarged))
        sizes = tuple((level.shape[2], level.shape[3]) for level in levels[::-1])
        return Features(self.mask_features(fine), _joined(levels[::-1]), sizes)


class _MapTransformer(nn.Module):
    def __init__(self, dim: int, heads: int, layers: int, ffn_dim: int) -> None:
        super().__init__()
        self.level_embed = nn.Parameter(torch.randn(LEVELS, dim))
        self.encoder = _MapLayers(dim, heads, layers, ffn_dim)

    def forward(self, levels: Sequence[Tensor]) -> list[Tensor]:
        """Maps (B, C, h, w), finest first → the same maps after looking at one another."""
        sizes = [(level.shape[2], level.shape[3]) for level in levels]
        places = torch.cat([cell_centres(*size, levels[0]) for size in sizes])
        codes = [
            sine_codes(*size, levels[0]) + own
            for size, own in zip(sizes, self.level_embed, strict=True)
        ]
        x, position = _joined(levels), torch.cat(codes)
        x = self.encoder(x, position, places, sizes)
        parts = torch.split(x.mT, [height * width for height, width in sizes], dim=2)
        return [torch.unflatten(part, 2, size) for part, size in zip(parts, sizes, strict=True)]


class _MapLayers(nn.Module):
    def __init__(self, dim: int, heads: int, layers: int, ffn_dim: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(MapLayer(dim, heads, ffn_dim) for _ in range(layers))

    def forward(self, x: Tensor, position: Tensor, places: Tensor, sizes: Sizes) -> Tensor:
        """(B, S, C) → the same."""
        for layer in self.layers:
            x = layer(x, position, places, sizes)
        return x


class MapLayer(nn.Module):
    """Cells of all maps look at one another, then each by itself goes through two layers."""

    def __init__(self, dim: int, heads: int, ffn_dim: int) -> None:
        super().__init__()
        self.self_attn = DeformableAttention(dim, heads)
        self.norm1 = nn.LayerNorm(dim)
        self.linear1 = nn.Linear(dim, ffn_dim)
        self.linear2 = nn.Linear(ffn_dim, dim)
        self.norm2 = nn.LayerNorm(dim)

    def forward(self, x: Tensor, position: Tensor, places: Tensor, sizes: Sizes) -> Tensor:
        """(B, S, C) → the same; ``position`` (S, C), ``places`` (S, 2)."""
        seen = self.self_attn.around_points(x + position, places, self.self_attn.values(x), sizes)
        x = self.norm1(x + seen)
        out: Tensor = self.norm2(x + self.linear2(F.relu(self.linear1(x))))
        return out


class _NormedConv(nn.Conv2d):
    """A convolution without bias, then a group norm."""

    def __init__(self, in_dim: int, out_dim: int, kernel: int) -> None:
        super().__init__(in_dim, out_dim, kernel, padding=kernel // 2, bias=False)
        self.norm = nn.GroupNorm(GROUPS, out_dim)

    def forward(self, x: Tensor) -> Tensor:
        normed: Tensor = self.norm(super().forward(x))
        return normed


def _projection(in_dim: int, out_dim: int, kernel: int) -> nn.Sequential:
    """To the decoder's width; a kernel of 3 also halves the map."""
    stride = 1 if kernel == 1 else 2
    conv = nn.Conv2d(in_dim, out_dim, kernel, stride, padding=kernel // 2)
    return nn.Sequential(conv, nn.GroupNorm(GROUPS, out_dim))


def _joined(levels: Sequence[Tensor]) -> Tensor:
    """Maps (B, C, h, w) → (B, S, C), one after the other, row by row."""
    return torch.cat([level.flatten(2) for level in levels], dim=2).transpose(1, 2)


def cell_centres(height: int, width: int, like: Tensor) -> Tensor:
    """(height · width, 2): x and y of each cell's centre, from 0 to 1."""
    rows = (torch.arange(height, device=like.device, dtype=like.dtype) + 0.5) / height
    columns = (torch.arange(width, device=like.device, dtype=like.dtype) + 0.5) / width
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], dim=1)


def sine_codes(height: int, width: int, like: Tensor) -> Tensor:
    """(height · width, C) for maps (B, C, h, w): half of the channels say the row, half the column.

    Rows count from 1 to ``height``, which is a full turn (Carion et al. 2020, arXiv:2005.12872).
    """
    steps = (
        torch.arange(1, size + 1, device=like.device, dtype=like.dtype) / (size + 1e-6)
        for size in (height, width)
    )
    rows, columns = (waves(step, like.shape[1] // 2) for step in steps)
    return torch.cat([rows.repeat_interleave(width, 0), columns.repeat(height, 1)], dim=1)


def waves(fractions: Tensor, dim: int) -> Tensor:
    """(...) fractions of a turn → (..., dim): sine and cosine in turns, ever slower."""
    pairs = torch.arange(dim // 2, device=fractions.device, dtype=fractions.dtype)
    slowness = TEMPERATURE ** (2 * pairs / dim)
    angles = fractions[..., None] * math.tau / slowness
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(-2)
