"""All crops of a batch cut and resized where the picture lies: few operations, however many crops.

One crop after the other costs a GPU a dozen launches each. Here the rows of all are resized together, as
weighted sums of the picture's rows, then their columns as one product with a matrix for each crop.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torchvision.transforms.v2 import InterpolationMode

from ssa.models.shared.taps import Spans, as_matrices, most_taps, taps
from ssa.models.shared.uploading import on_device
from ssa.pictures.canvas import Canvas, Crops

# Larger pictures go the plain way: their float32 rows alone would take more than 0.4 GB.
MOST_PIXELS = 2**25

# Numbers held at once between the two steps: 256 MB of float32.
NUMBERS_AT_ONCE = 2**26


def resizes_in_bulk(crops: Crops) -> bool:
    """Whether all pictures are small enough."""
    return all(one.pixels.size <= 3 * MOST_PIXELS for one in dict.fromkeys(crops.canvases))


def resize_in_bulk(
    crops: Crops,
    side: int,
    sizes_hw: Sequence[tuple[int, int]],
    kind: InterpolationMode,
    device: torch.device,
) -> Tensor:
    """The middle squares (N, 3, side, side), float32 with whole numbers from 0 to 255, of resized crops.

    Crop i is resized to ``sizes_hw[i]``, with antialiasing, and rounded to bytes.
    """
    numbers = _spans_of(crops, side, sizes_hw)
    spans = torch.from_numpy(numbers).to(device)
    squares = torch.empty(len(crops), 3, side, side, device=device)
    for canvas, first, count in _runs(crops.canvases):
        rows = _rows_of(canvas, device)
        part = slice(first, first + count)
        # Rows and columns at once, with as many taps for both as the harder of the two needs.
        lengths, sizes = numbers[1:3, :, part].reshape(2, -1).tolist()
        lines, shares = taps(Spans(spans[..., part], most_taps(lengths, sizes, kind)), side, kind)
        at_once = max(1, NUMBERS_AT_ONCE // (side * rows.shape[1]))
        for start in range(0, count, at_once):
            some = slice(start, start + at_once)
            (down, across), (down_share, across_share) = lines[:, some], shares[:, some]
            high = _rows_resized(rows, down, down_share)
            wide = as_matrices(across, across_share, rows.shape[1] // 3)
            square = high.view(len(high), side * 3, -1) @ wide.mT
            squares[part][some] = square.view(len(high), side, 3, side).transpose(1, 2)
    return squares.round_().clamp_(0, 255)


def _rows_resized(rows: Tensor, lines: Tensor, shares: Tensor) -> Tensor:
    """(n, side, 3 · W): sums of rows (H, 3 · W), of ``lines`` (n, side, K) each, weighted by shares."""
    summed = functional.embedding_bag(
        lines.flatten(0, 1), rows, mode="sum", per_sample_weights=shares.flatten(0, 1)
    )
    return summed.view(*lines.shape[:2], -1)


def _rows_of(canvas: Canvas, device: torch.device) -> Tensor:
    """(H, 3 · W) float32, kept with the picture: each row's reds, then its greens and its blues."""
    uploaded = on_device(canvas, device)
    return canvas.once(("rows", device), lambda _: uploaded.transpose(0, 1).float().flatten(1))


def _runs(canvases: Sequence[Canvas]) -> Iterator[tuple[Canvas, int, int]]:
    """Each picture with the number of its first crop and of how many in a row are of it."""
    first = 0
    for _, same in groupby(canvases, key=id):
        crops = list(same)
        yield crops[0], first, len(crops)
        first += len(crops)


def _spans_of(
    crops: Crops, side: int, sizes_hw: Sequence[tuple[int, int]]
) -> np.ndarray[tuple[int, int, int], np.dtype[np.int64]]:
    """(4, 2, N): where each crop begins, its length, its new size, what is skipped; rows, columns."""
    spans = np.empty((4, 2, len(crops)), np.int64)
    for number, ((left, top, right, bottom), (high, wide)) in enumerate(
        zip(crops.boxes_xyxy, sizes_hw, strict=True)
    ):
        # Half of an odd rest goes where torchvision's centre crop puts it.
        spans[:, 0, number] = top, bottom - top, high, round((high - side) / 2)
        spans[:, 1, number] = left, right - left, wide, round((wide - side) / 2)
    return spans
