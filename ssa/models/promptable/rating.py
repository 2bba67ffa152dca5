"""From points to ratings: how stable each mask is and where it lies, before any is drawn for good.

The other way to ``candidates``, for devices that want few large operations and for pictures of so many pixels
that masks are better compared on a coarser grid: what is kept of a mask is its small logits, and only those
that outlive suppression are drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssa.config import MaskSettings
from ssa.device import memory_errors_told
from ssa.masks.trace import Trace
from ssa.models.promptable.candidates import (
    Cut,
    bounds,
    boxes_of,
    pixels_at_once,
    stability_of,
    well_rated,
    window_groups,
)
from ssa.models.promptable.crops import Crop
from ssa.models.promptable.enlarge import Enlargement
from ssa.models.promptable.model import Embedding, PromptableModel
from ssa.models.promptable.tracing import traces
from ssa.types import ExtentXYXY

# Numbers of enlarged windows held at once: 256 MB.
NUMBERS_AT_ONCE = 2**26


@dataclass(frozen=True, slots=True)
class Rated:
    """A mask that passed the filters, not yet drawn; ``box``, in the picture's frame, has inclusive ends.

    ``small`` are its logits (a, b) as the model gave them, ``small_box`` is x0, y0, x1, y1, ends outside, of
    what in them may be inside.
    """

    small: Tensor
    small_box: NDArray[np.int64]
    box: ExtentXYXY
    predicted_iou: float
    stability: float
    point_xy: tuple[float, float]
    granularity: int | None


@memory_errors_told
def rated(
    model: PromptableModel[Embedding],
    embedding: Embedding,
    points_xy: NDArray[np.float64],
    crop: Crop,
    settings: MaskSettings,
    grid: tuple[Enlargement, tuple[int, int]],
) -> list[Rated]:
    """Decode points (N, 2), and rate on a ``grid``, (height, width), what the model rates well."""
    decoded = model.decode(embedding, points_xy)
    wanted = [one is None or one in settings.granularities for one in model.granularities]
    points, outputs, ious = well_rated(decoded.ious, wanted, settings.pred_iou_thresh)
    if not len(points):
        return []
    small = decoded.logits(points, outputs)
    cut = Cut.of(model.mask_threshold, settings)
    small_boxes = boxes_of(small > cut.low)
    enlargement, grid_hw = grid
    measured = _measured_in_bulk if model.in_bulk else _measured
    stabilities, boxes = measured(small, enlargement.reach(small_boxes), enlargement, cut)
    prompts = points_xy[points.numpy()] + crop.box[:2]
    granularities = [model.granularities[output] for output in outputs.tolist()]
    masks, found = small.unbind(), []
    for row in np.flatnonzero(cut.is_stable(stabilities) & (boxes[:, 2] > 0)).tolist():
        box = _in_picture(boxes[row], grid_hw, crop)
        if not crop.cuts_off(box):
            x, y = prompts[row].tolist()
            scores = ious[row], float(stabilities[row])
            fineness = granularities[row]
            found.append(Rated(masks[row], small_boxes[row], box, *scores, (x, y), fineness))
    return found


def drawn(
    chosen: Sequence[Rated], enlargement: Enlargement, level: float, crop: Crop
) -> list[Trace]:
    """The masks at full size, in the picture's frame, in few operations."""
    if not chosen:
        return []
    small = torch.stack([one.small for one in chosen])
    windows = enlargement.reach(np.stack([one.small_box for one in chosen]))
    found: dict[int, Trace] = {}
    for rows, logits in _enlarged(small, windows, enlargement):
        corners = (windows[rows, :2] + crop.box[:2]).tolist()
        found |= zip(rows, traces(logits, level, corners), strict=True)
    return [found[row] for row in range(len(chosen))]


def _measured(
    small: Tensor, windows: NDArray[np.int64], enlargement: Enlargement, cut: Cut
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Of masks (M, a, b) stability (M,), and boxes (M, 4) on the grid, ends outside.

    Of empty masks and of those that aren't stable, which on a CPU are most of the work, boxes are all 0.
    """
    stabilities = np.full(len(small), np.nan, np.float32)
    boxes = np.zeros((len(small), 4), np.int64)
    for start, stop, window in window_groups(windows.tolist(), pixels_at_once(small)):
        logits = enlargement.window(small[start:stop], window, below=-np.inf)
        stabilities[start:stop] = stability_of(logits, cut)
        stable = np.flatnonzero(cut.is_stable(stabilities[start:stop]))
        corners = [window[:2]] * len(stable)
        for row, trace in zip(stable, traces(logits[stable], cut.level, corners), strict=True):
            if len(trace):
                x0, y0, x1, y1 = trace.box
                boxes[start + row] = x0, y0, x1 + 1, y1 + 1
    return stabilities, boxes


def _measured_in_bulk(
    small: Tensor, windows: NDArray[np.int64], enlargement: Enlargement, cut: Cut
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The same in few operations, and with the boxes of all that aren't empty."""
    order: list[int] = []
    told = []
    for rows, logits in _enlarged(small, windows, enlargement):
        order += rows
        above = logits > cut.level
        ends = [*bounds(above.any(2)), *bounds(above.any(1))]
        areas = [_areas(logits, level) for level in (cut.high, cut.low)]
        told.append(torch.stack([*areas, *ends]))
    numbers = np.zeros((6, len(small)), np.int64)
    if told:
        numbers[:, order] = torch.cat(told, dim=1).cpu().numpy()
    high, low, x0, x1, y0, y1 = numbers
    with np.errstate(invalid="ignore"):
        stabilities = (high / low).astype(np.float32)
    boxes = np.stack([x0, y0, x1, y1], axis=1)
    return stabilities, boxes + np.where(x1[:, None] > 0, np.tile(windows[:, :2], 2), 0)


def _areas(logits: Tensor, level: float) -> Tensor:
    """(n,) int64: how many of each mask's logits are above a level.

    To add bools up, CUDA first makes an int64 of each; bfloat16 it adds as it is, in float32, which counts
    exactly up to 2**24: four times the pixels of any grid.
    """
    ones = logits.new_empty(logits.shape, dtype=torch.bfloat16)
    return torch.gt(logits, level, out=ones).sum((1, 2), dtype=torch.float32).long()


def _enlarged(
    small: Tensor, windows: NDArray[np.int64], enlargement: Enlargement
) -> Iterator[tuple[list[int], Tensor]]:
    """Masks whose windows aren't empty, like with like: their rows, and their windows (n, w, h + 1)."""
    sides = (windows[:, 2:] - windows[:, :2]).clip(min=0)
    order = [row for row in np.lexsort((sides[:, 1], sides[:, 0])).tolist() if sides[row].all()]
    sent = torch.from_numpy(np.concatenate([np.array(order)[:, None], windows[order]], 1))
    sent = sent.to(small.device)
    start = 0
    for stop in _stops(sides[order], NUMBERS_AT_ONCE):
        wide, high = sides[order[start:stop]].max(0).tolist()
        rows, boxes = sent[start:stop, 0], sent[start:stop, 1:]
        # One more below each column, which belongs to no mask.
        yield order[start:stop], enlargement.windows(small[rows], boxes, (high + 1, wide))
        start = stop


def _stops(sides: NDArray[np.int64], numbers: int) -> Iterator[int]:
    """Where groups of windows (width, height) end: as many in a row as hold so many pixels, or one alone."""
    start = 0
    most = np.zeros(2, np.int64)
    for place, own in enumerate(sides):
        both = np.maximum(most, own)
        if place > start and (place + 1 - start) * int(both.prod()) > numbers:
            yield place
            start, both = place, own
        most = both
    if len(sides):
        yield len(sides)


def _in_picture(box: NDArray[np.int64], grid_hw: tuple[int, int], crop: Crop) -> ExtentXYXY:
    """A box of the grid, ends outside, as one of the picture, ends inside."""
    left, top, *_ = crop.box
    high, wide = (side / on_grid for side, on_grid in zip(crop.hw, grid_hw, strict=True))
    x0, y0, x1, y1 = (box * (wide, high, wide, high)).tolist()
    first, last = (int(x0), int(y0)), (int(np.ceil(x1)) - 1, int(np.ceil(y1)) - 1)
    return ExtentXYXY((left + first[0], top + first[1], left + last[0], top + last[1]))
