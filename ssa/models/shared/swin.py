"""The Swin transformer that Semantic-SAM and the closed-set segmentors look with.

Liu et al. 2021, arXiv:2103.14030. Each call from Python is a launch on a GPU, and a large model has two dozen
blocks, so a block is as few operations as can be: what depends on weights or sizes alone is worked out once.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

PATCH_PX = 4

# Of a score between two patches of a window that do not lie side by side in the picture.
APART = -100.0

# What keeps the cells of shifted windows apart, of so many maps: of a large one some 20 MB.
KEPT_APART = 16


class Swin(nn.Module):
    """Four maps of a picture, at 1/4, 1/8, 1/16 and 1/32 of its size.

    A map is filled up with zeros to whole windows; window and shift are never made smaller than they are,
    not even for a map smaller than a window.
    """

    def __init__(
        self,
        embed_dim: int,
        depths: Sequence[int],
        num_heads: Sequence[int],
        window: int,
        mlp_dims: Sequence[int],
    ) -> None:
        super().__init__()
        self.patch_embed = _PatchEmbedding(embed_dim)
        widths = [embed_dim * 2**stage for stage in range(len(depths))]
        self.layers = nn.ModuleList(
            _Stage(width, depth, heads, window, mlp_dim, last=width == widths[-1])
            for width, depth, heads, mlp_dim in zip(
                widths, depths, num_heads, mlp_dims, strict=True
            )
        )
        for stage, width in enumerate(widths):
            self.add_module(f"norm{stage}", nn.LayerNorm(width))

    def settle(self) -> None:
        """Work out once what follows from the weights: from now on they stay as they are."""
        for module in self.modules():
            if isinstance(module, _WindowAttention):
                module.settle()

    def forward(self, pixels: Tensor) -> list[Tensor]:
        """(B, 3, H, W) → maps (B, C, H / s, W / s), finest first; sides that don't divide are rounded up."""
        grid = self.patch_embed(pixels)
        maps = []
        for stage, layer in enumerate(self._stages()):
            grid = layer(grid)
            maps.append(self.get_submodule(f"norm{stage}")(grid).permute(0, 3, 1, 2))
            grid = layer.smaller(grid)
        return maps

    def _stages(self) -> list[_Stage]:
        return list(self.layers)  # type: ignore[arg-type]


class _PatchEmbedding(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, PATCH_PX, PATCH_PX)
        self.norm = nn.LayerNorm(dim)

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W) → (B, H / 4, W / 4, C)."""
        filled = _filled(pixels, PATCH_PX, (2, 3))
        embedded: Tensor = self.norm(self.proj(filled).permute(0, 2, 3, 1))
        return embedded


class _Stage(nn.Module):
    """Blocks at one resolution, every other one with its windows shifted by half."""

    def __init__(
        self, dim: int, depth: int, heads: int, window: int, mlp_dim: int, last: bool
    ) -> None:
        super().__init__()
        self.window = window
        shifts = [0 if number % 2 == 0 else window // 2 for number in range(depth)]
        self.blocks = nn.ModuleList(_Block(dim, heads, window, shift, mlp_dim) for shift in shifts)
        self.downsample = nn.Identity() if last else _Merging(dim)

    def forward(self, grid: Tensor) -> Tensor:
        """(B, h, w, C) → the same."""
        apart = _apart(grid.shape[1], grid.shape[2], self.window, grid.dtype, grid.device)
        for block in self.blocks:
            grid = block(grid, apart)
        return grid

    def smaller(self, grid: Tensor) -> Tensor:
        """(B, h, w, C) → (B, h / 2, w / 2, 2 C); after the last stage as it is."""
        merged: Tensor = self.downsample(grid)
        return merged


class _Block(nn.Module):
    def __init__(self, dim: int, heads: int, window: int, shift: int, mlp_dim: int) -> None:
        super().__init__()
        self.window, self.shift = window, shift
        self.norm1 = nn.LayerNorm(dim)
        self.attn = _WindowAttention(dim, heads, window)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = _Mlp(dim, mlp_dim)

    def forward(self, grid: Tensor, apart: Tensor) -> Tensor:
        grid = grid + self._attend(self.norm1(grid), apart)
        out: Tensor = grid + self.mlp(self.norm2(grid))
        return out

    def _attend(self, grid: Tensor, apart: Tensor) -> Tensor:
        """Attention inside windows of (B, h, w, C), shifted or not."""
        batch, height, width, dim = grid.shape
        side = self.window
        filled = _filled(grid, side, (1, 2))
        rows, columns = filled.shape[1] // side, filled.shape[2] // side
        if self.shift:
            filled = filled.roll((-self.shift, -self.shift), (1, 2))
        cut = filled.view(batch, rows, side, columns, side, dim).transpose(2, 3)
        seen: Tensor = self.attn(cut.reshape(-1, side**2, dim), apart if self.shift else None)
        joined = seen.view(batch, rows, columns, side, side, dim).transpose(2, 3)
        joined = joined.reshape(filled.shape)
        if self.shift:
            joined = joined.roll((self.shift, self.shift), (1, 2))
        return joined if filled is grid else joined[:, :height, :width]


class _WindowAttention(nn.Module):
    """Self-attention in windows, with a learnt bias for each distance in rows and columns."""

    settled: Tensor | None

    def __init__(self, dim: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * window - 1) ** 2, heads))
        self.window = window
        self.register_buffer("settled", None, persistent=False)

    def settle(self) -> None:
        """See ``Swin.settle``."""
        self.settled = self._bias().contiguous()

    def forward(self, windows: Tensor, apart: Tensor | None) -> Tensor:
        """(N, window², C) → the same; ``apart`` (n, 1, window², window²) is added to the scores of each n."""
        count, cells, _ = windows.shape
        qkv = self.qkv(windows).view(count, cells, 3, self.heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind()  # (N, heads, cells, d)
        bias = self._bias() if self.settled is None or self.training else self.settled
        if apart is not None:
            bias = bias + apart
            if len(apart) < count:
                bias = bias.repeat(count // len(apart), 1, 1, 1)
        seen = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        out: Tensor = self.proj(seen.transpose(1, 2).flatten(2))
        return out

    def _bias(self) -> Tensor:
        """(1, heads, window², window²): of fewer dimensions torch's quick attention takes no bias."""
        index = _distance_index(self.window, self.relative_position_bias_table.device)
        return self.relative_position_bias_table[index].permute(2, 0, 1)[None]


class _Mlp(nn.Module):
    def __init__(self, dim: int, hidden_dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden_dim)
        self.fc2 = nn.Linear(hidden_dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return out


class _Merging(nn.Module):
    """Each 2 x 2 cells become one with twice the channels: top left, bottom left, top right, bottom right."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * dim)
        self.reduction = nn.Linear(4 * dim, 2 * dim, bias=False)

    def forward(self, grid: Tensor) -> Tensor:
        """(B, h, w, C) → (B, h / 2, w / 2, 2 C), a side that is odd rounded up."""
        grid = _filled(grid, 2, (1, 2))
        batch, height, width, dim = grid.shape
        fours = grid.view(batch, height // 2, 2, width // 2, 2, dim).permute(0, 1, 3, 4, 2, 5)
        merged: Tensor = self.reduction(self.norm(fours.flatten(3)))
        return merged


def _filled(grid: Tensor, multiple: int, sides: tuple[int, int]) -> Tensor:
    """A map with two neighbouring ``sides`` filled up with zeros to multiples; itself if they are."""
    down, right = (-grid.shape[side] % multiple for side in sides)
    if not (down or right):
        return grid
    return F.pad(grid, (*[0, 0] * (grid.ndim - 1 - sides[1]), 0, right, 0, down))


def _distance_index(window: int, device: torch.device) -> Tensor:
    """(window², window²): which entry of the bias table belongs to each pair of cells."""
    place = torch.arange(window, device=device)
    rows, columns = place.repeat_interleave(window), place.repeat(window)
    down = rows[:, None] - rows + window - 1
    right = columns[:, None] - columns + window - 1
    return down * (2 * window - 1) + right


@lru_cache(maxsize=KEPT_APART)
@torch.inference_mode(False)  # What is kept may serve training too.
def _apart(
    height: int, width: int, window: int, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """(n, 1, window², window²): what keeps cells apart that only the shift brought into one window.

    The shift moves the first rows and columns behind the last ones, so each side falls into three stretches:
    whole windows, the rest, and what was moved.
    """
    shift = window // 2
    stretch = partial(_stretches, window=window, shift=shift, device=device)
    zones = 3 * stretch(height)[:, None] + stretch(width)
    rows, columns = zones.shape[0] // window, zones.shape[1] // window
    cells = zones.view(rows, window, columns, window).transpose(1, 2).reshape(-1, 1, window**2)
    same = cells[..., :, None] == cells[..., None, :]
    return torch.zeros(same.shape, dtype=dtype, device=device).masked_fill_(~same, APART)


def _stretches(length: int, window: int, shift: int, device: torch.device) -> Tensor:
    """(padded length,): 0, 1 or 2 by the stretch a row or column belongs to."""
    place = torch.arange(length + -length % window, device=device)
    return (place >= len(place) - window).long() + (place >= len(place) - shift).long()
