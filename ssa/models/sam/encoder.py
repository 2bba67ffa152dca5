"""SAM's image encoder, faster: the same weights and numbers as the package's own forward, in less memory.

Scores between all pairs of patches are never held for a whole picture, but for some rows of some heads at a
time. Windows that reach beyond the grid are filled up after the projection to queries, keys and values,
not before (a zero projects to the bias), and nothing is projected back for what was filled.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from segment_anything.modeling import ImageEncoderViT
from torch import Tensor
from torch.nn import functional as F

# Scores held at once: on a CPU what its caches hold, on a GPU enough to keep it busy.
SCORES_AT_ONCE_ON_CPU = 2**20
SCORES_AT_ONCE = 2**26


def encode(encoder: ImageEncoderViT, pixels: Tensor) -> Tensor:
    """Normalised pixels (1, 3, S, S) → features (1, C, g, g), as ``encoder(pixels)``."""
    grid: Tensor = encoder.patch_embed(pixels)[0] + encoder.pos_embed[0]  # (g, g, channels)
    for block in encoder.blocks:
        grid = grid + _attend(block.attn, block.norm1(grid), block.window_size)
        grid = grid + block.mlp(block.norm2(grid))
    features: Tensor = encoder.neck(grid.permute(2, 0, 1)[None])
    return features


def _attend(attn: Any, grid: Tensor, window: int) -> Tensor:
    """An attention module's answer on (g, g, C), inside windows of a side, or (0) over all."""
    side = len(grid)
    window = window or side
    windows = -(-side // window)  # along one side
    qkv = _filled_up(attn.qkv(grid), windows * window, attn.qkv.bias)
    cut = qkv.view(windows, window, windows, window, 3, attn.num_heads, -1)
    q, k, v = cut.permute(4, 0, 2, 5, 1, 3, 6).flatten(1, 3).unbind()  # (n · heads, s, s, d)
    seen = _with_positions(q, k, v, _codes(attn.rel_pos_h, window), _codes(attn.rel_pos_w, window))
    seen = seen.view(windows, windows, attn.num_heads, window, window, -1)
    seen = seen.permute(0, 3, 1, 4, 2, 5).reshape(windows * window, windows * window, -1)
    projected: Tensor = attn.proj(seen[:side, :side])
    return projected


def _filled_up(qkv: Tensor, side: int, bias: Tensor) -> Tensor:
    """(g, g, C) → (side, side, C), with the bias below and to the right."""
    if side == len(qkv):
        return qkv
    filled = bias.expand(side, side, -1).clone()
    filled[: len(qkv), : len(qkv)] = qkv
    return filled


def _codes(table: Tensor, side: int) -> Tensor:
    """Codes of distances, s - 1 before to s - 1 after, (2 s - 1, d) → from each place to each, (s, s, d)."""
    place = torch.arange(side, device=table.device)
    return table[place[:, None] - place + side - 1]


def _with_positions(
    q: Tensor, k: Tensor, v: Tensor, row_codes: Tensor, column_codes: Tensor
) -> Tensor:
    """Attention with decomposed relative positions (arXiv 2112.01526): (B, s, s, d) each → (B, s, s, d).

    A query's score for a key gains its dot products with the codes of their distance in rows and in columns.
    """
    by_row = torch.einsum("byxd,ykd->byxk", q, row_codes)
    by_column = torch.einsum("byxd,xkd->byxk", q, column_codes)
    keys, values = k.flatten(1, 2), v.flatten(1, 2)
    out = torch.empty_like(q)
    at_once = SCORES_AT_ONCE_ON_CPU if q.is_cpu else SCORES_AT_ONCE
    for piece in _pieces(len(q), q.shape[1], at_once):
        bias = by_row[piece][..., :, None] + by_column[piece][..., None, :]
        bias = bias.flatten(3).flatten(1, 2)  # (B', rows · s, s · s)
        seen = _attention(q[piece].flatten(1, 2), keys[piece[0]], values[piece[0]], bias)
        out[piece] = seen.view_as(out[piece])
    return out


def _pieces(heads: int, side: int, scores: int) -> Iterator[tuple[slice, slice]]:
    """Slices of heads and of rows that give at most so many scores, but at least one row's."""
    rows = max(1, min(side, scores // side**3))
    heads_at_once = max(1, scores // (rows * side**3))
    for head in range(0, heads, heads_at_once):
        for row in range(0, side, rows):
            yield slice(head, head + heads_at_once), slice(row, row + rows)


def _attention(q: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
    """Of queries (B, n, d), keys and values (B, m, d), and a bias (B, n, m): (B, n, d)."""
    # On a CPU the fused kernel takes a fifth longer, in bfloat16 half as long again (torch 2.11).
    return _plain(q, k, v, bias) if q.is_cpu else _fused(q, k, v, bias)


def _plain(q: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
    scores = torch.baddbmm(bias, q, k.mT, alpha=q.shape[-1] ** -0.5)
    return scores.softmax(-1) @ v


def _fused(q: Tensor, k: Tensor, v: Tensor, bias: Tensor) -> Tensor:
    # The kernels that hold no scores want four dimensions.
    return F.scaled_dot_product_attention(q[None], k[None], v[None], attn_mask=bias[None])[0]
