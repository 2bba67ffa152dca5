"""How much of each cell of a grid over the picture each mask covers: one operation over all masks.

A mask is runs of pixels down the columns. What a run covers of a column of cells is the difference of two
rows of a small table, so the work grows with the runs, not with the masks' areas.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ssa.masks.trace import Trace
from ssa.types import RLE

# Numbers held at once between the two steps: 128 MB of float32.
NUMBERS_AT_ONCE = 2**25


def cell_shares(masks: Sequence[RLE], grid_hw: tuple[int, int], device: torch.device) -> Tensor:
    """The share of each cell that each mask covers: (M, rows, columns) float32 on ``device``, 0 to 1.

    The grid covers the whole picture. Exact but for rounding: a pixel that lies across cells counts for each
    by its part, so each mask with a pixel has a share somewhere. Raises ``ValueError`` where masks are of
    several sizes.
    """
    rows, columns = grid_hw
    sizes = {(mask.height, mask.width) for mask in masks}
    if not sizes:
        return torch.zeros(0, rows, columns, device=device)
    if len(sizes) > 1:
        raise ValueError(f"expected masks of one picture; got sizes {sorted(sizes)}")
    height, width = sizes.pop()
    down = _filled_by(height, rows)
    across = np.diff(_filled_by(width, columns), axis=0)
    tables = [torch.from_numpy(one.astype(np.float32)).to(device) for one in (down, across)]
    at_once = max(1, NUMBERS_AT_ONCE // (width * rows))
    parts = [masks[first : first + at_once] for first in range(0, len(masks), at_once)]
    return torch.cat([_shares(part, *tables) for part in parts])


def _shares(masks: Sequence[RLE], down: Tensor, across: Tensor) -> Tensor:
    """(M, rows, columns): the pixels of each column of each mask by rows of cells, then those by columns."""
    width = len(across)
    ends, starts = _ends_by_column(masks, width)
    signs = torch.ones(len(ends), device=down.device)
    signs[1::2] = -1
    covered = functional.embedding_bag(
        torch.from_numpy(ends).to(down.device),
        down,
        torch.from_numpy(starts).to(down.device),
        mode="sum",
        per_sample_weights=signs,
    )
    shares: Tensor = covered.view(len(masks), width, -1).mT @ across
    return shares


def _ends_by_column(
    masks: Sequence[RLE], width: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each run ends and starts, in turn and in rows, no run longer than its column: (2 R,).

    And where the ends of each mask's each column begin among them, (M · W,).
    """
    traces = [Trace.of(mask) for mask in masks]
    owners = np.repeat(np.arange(len(masks)), list(map(len, traces)))
    runs = Trace.joined(traces)
    each = 2 * np.bincount(owners * width + runs.columns, minlength=len(masks) * width)
    return np.stack([runs.stops, runs.starts], axis=1).ravel(), np.cumsum(each) - each


def _filled_by(pixels: int, cells: int) -> NDArray[np.float64]:
    """How much of each cell along an axis the first n pixels fill: (pixels + 1, cells), 0 to 1."""
    reach = np.arange(pixels + 1)[:, None] * (cells / pixels)
    return np.clip(reach - np.arange(cells), 0.0, 1.0)
