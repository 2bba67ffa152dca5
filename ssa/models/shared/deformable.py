"""Deformable attention: a query looks at a few places of its choosing (Zhu et al. 2020, arXiv:2010.04159)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

import torch
from torch import Tensor
from torch.nn import functional


def deformable_attention(
    values: Tensor, sizes_hw: Sequence[tuple[int, int]], locations: Tensor, weights: Tensor
) -> Tensor:
    """Weighted sums of values, read bilinearly from maps of several sizes.

    ``values`` is (B, S, heads, C): L maps of ``sizes_hw``, one after the other, each row by row, S cells in
    all. ``locations`` is (B, Q, heads, L, P, 2), x and y from 0 to 1 across a map, and ``weights``
    (B, Q, heads, L, P). Returns (B, Q, heads * C). Outside a map there are zeros, as in
    ``grid_sample(align_corners=False)``.

    Every place is four cells with a share each, so all of it is one weighted sum over rows of a table,
    and what was read at each place is never written out.
    """
    batch, cells, heads, channels = values.shape
    if cells != sum(map(math.prod, sizes_hw)):
        raise ValueError(f"expected the cells of maps of {list(sizes_hw)}; got {cells}")
    per_level = torch.tensor(sizes_hw, device=values.device)
    rows_of = _corners(locations[..., 1], per_level[:, 0])
    columns_of = _corners(locations[..., 0], per_level[:, 1])
    first = _first_cells(batch, cells, per_level)
    head = torch.arange(heads, dtype=torch.int32, device=values.device).view(heads, 1, 1)
    width = per_level[:, 1:].int()
    entries, shares = [], []
    for (row, row_share), (column, column_share) in product(rows_of, columns_of):
        entries.append((first + row * width + column) * heads + head)
        shares.append(weights * row_share * column_share)
    summed = functional.embedding_bag(
        torch.stack(entries, dim=-1).flatten(0, 2).flatten(1),
        values.reshape(-1, channels),
        mode="sum",
        per_sample_weights=torch.stack(shares, dim=-1).flatten(0, 2).flatten(1),
    )
    return summed.view(batch, -1, heads * channels)


def _corners(location: Tensor, sizes: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Along one side: the cells before and after each location, and the share of each in what is read.

    ``location`` is (B, Q, heads, L, P) from 0 to 1, ``sizes`` (L,). Cells are int32 and inside the map; one
    that would not be has share 0.
    """
    place = location * sizes.view(-1, 1) - 0.5
    last = (sizes - 1).view(-1, 1).to(place.dtype)
    before = place.floor()
    found = []
    for cell in (before, before + 1):
        inside = cell.clamp(min=0).minimum(last)
        found.append((inside.int(), (1 - (place - cell).abs()) * (inside == cell)))
    return found


def _first_cells(batch: int, cells: int, sizes_hw: Tensor) -> Tensor:
    """(B, 1, 1, L, 1) int32: where in the table, counted in cells, each picture's maps (L, 2) begin."""
    lengths = sizes_hw.prod(1)
    pictures = torch.arange(batch, device=sizes_hw.device).view(-1, 1, 1, 1, 1) * cells
    return (pictures + (lengths.cumsum(0) - lengths).view(-1, 1)).int()
