"""Deformable attention: a query looks at a few places of its choosing (Zhu et al. 2020, arXiv:2010.04159)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

# Numbers of maps, and of pictures at once, whose tables are kept: a few numbers each.
TABLES_KEPT = 64


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
    maps = _maps(tuple(sizes_hw), batch, heads, weights.shape[-1], values.device)
    # K places a query and head; x and y first, and before them the two cells that a place lies between.
    place = (locations.flatten(3, 4) * maps.sizes_wh - 0.5).movedim(-1, 0).contiguous()
    cell = place.floor() + maps.before_and_after
    inside = cell.clamp(min=0.0).minimum(maps.last)
    share = (1 - (place - cell).abs()) * (inside == cell)
    column, row = (inside.int() * maps.steps).unbind(1)
    across, down = share.unbind(1)
    entries = row[:, None] + (column + maps.first)
    shares = down[:, None] * (across * weights.flatten(3))
    summed = functional.embedding_bag(
        _joined(entries),
        values.reshape(-1, channels),
        mode="sum",
        per_sample_weights=_joined(shares),
    )
    return summed.view(batch, -1, heads * channels)


@lru_cache(maxsize=TABLES_KEPT)
@torch.inference_mode(False)  # What is kept may serve training too.
def sizes_wh(sizes_hw: tuple[tuple[int, int], ...], device: torch.device) -> Tensor:
    """Maps' widths and heights (L, 2) float32, sent to the device once for all pictures of a size."""
    return torch.tensor([(float(wide), float(high)) for high, wide in sizes_hw], device=device)


@dataclass(frozen=True, slots=True)
class _Maps:
    """What turns K places of a query into entries of the table of all cells, each cell's heads in a row.

    ``sizes_wh`` (K, 2) is the size of the map that a place lies on, ``last`` (2, 1, 1, 1, K) its last column
    and row, and ``first`` (B, 1, heads, K) its first entry. ``steps`` (2, 1, 1, 1, K) says how many entries
    lie between a cell and its neighbours to the right and below. ``before_and_after`` (2, 1, 1, 1, 1, 1) is
    0 and 1.
    """

    sizes_wh: Tensor
    last: Tensor
    steps: Tensor
    first: Tensor
    before_and_after: Tensor


@lru_cache(maxsize=TABLES_KEPT)
@torch.inference_mode(False)  # What is kept may serve training too.
def _maps(
    sizes_hw: tuple[tuple[int, int], ...], batch: int, heads: int, points: int, device: torch.device
) -> _Maps:
    high, wide = torch.tensor(sizes_hw).T
    lengths = high * wide
    begins = lengths.cumsum(0) - lengths + lengths.sum() * torch.arange(batch)[:, None]
    first = begins[:, None, None] * heads + torch.arange(heads)[:, None]
    steps = torch.stack([torch.full_like(wide, heads), wide * heads])
    last = torch.stack([wide, high]) - 1

    def of_places(of_maps: Tensor) -> Tensor:
        return of_maps.repeat_interleave(points, -1).to(device)

    return _Maps(
        sizes_wh=of_places(torch.stack([wide, high]).float()).T,
        last=of_places(last[:, None, None, None].float()),
        steps=of_places(steps[:, None, None, None].int()),
        first=of_places(first.int()),
        before_and_after=torch.arange(2.0, device=device).view(2, 1, 1, 1, 1, 1),
    )


def _joined(of_corners: Tensor) -> Tensor:
    """(2, 2, B, Q, heads, K), by corner, to (B * Q * heads, 4 * K)."""
    return torch.cat(of_corners.flatten(0, 1).flatten(1, 3).unbind(), dim=1)
