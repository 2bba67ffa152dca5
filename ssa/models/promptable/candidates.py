"""From points to candidates: masks that the model rates well and that barely change with the threshold.

Masks rated low are never drawn; the others are enlarged only where they can be, as many together as the
caches hold, and a mask is done with, down to its trace, while it lies there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssa.config import MaskSettings
from ssa.device import memory_errors_told
from ssa.masks.trace import Trace
from ssa.models.promptable.crops import Crop
from ssa.models.promptable.model import Embedding, PromptableModel
from ssa.models.promptable.tracing import count_above, traces
from ssa.types import BoxXYXY, ExtentXYXY

# Pixels enlarged together, though one mask may have more: on a CPU what its caches hold, elsewhere 128 MB.
PIXELS_AT_ONCE_ON_CPU = 2**17
PIXELS_AT_ONCE = 2**25


@dataclass(frozen=True, slots=True)
class Candidate:
    """A mask that passed the filters, in the picture's frame; ``box`` has inclusive ends."""

    trace: Trace
    box: ExtentXYXY
    predicted_iou: float
    stability: float
    point_xy: tuple[float, float]
    granularity: int | None


@dataclass(frozen=True, slots=True)
class Cut:
    """Where logits are cut: at ``level``, and lower and higher to see how much that changes.

    ``stability`` is how alike the last two must be; 0 or less for anything.
    """

    low: float
    level: float
    high: float
    stability: float

    @classmethod
    def of(cls, level: float, settings: MaskSettings) -> Cut:
        """Around the model's own level, as far as the settings say."""
        offset = settings.stability_score_offset
        return cls(level - offset, level, level + offset, settings.stability_score_thresh)

    def is_stable(self, stabilities: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which of them pass; an empty mask's is not a number, and never does."""
        return stabilities >= max(self.stability, 0.0)


@memory_errors_told
def candidates(
    model: PromptableModel[Embedding],
    embedding: Embedding,
    points_xy: NDArray[np.float64],
    crop: Crop,
    settings: MaskSettings,
) -> list[Candidate]:
    """Decode points (N, 2), drop what the model rates low, and look at the rest where it can be."""
    decoded = model.decode(embedding, points_xy)
    wanted = [one is None or one in settings.granularities for one in model.granularities]
    points, outputs, ious = well_rated(decoded.ious, wanted, settings.pred_iou_thresh)
    if not len(points):
        return []
    small = decoded.logits(points, outputs)
    granularities = [model.granularities[output] for output in outputs.tolist()]
    prompts = points_xy[points.numpy()] + crop.box[:2]
    cut = Cut.of(model.mask_threshold, settings)
    enlargement = model.enlargement(embedding)
    windows = enlargement.reach(boxes_of(small > cut.low))
    found = []
    for start, stop, window in window_groups(windows.tolist(), pixels_at_once(small)):
        logits = enlargement.window(small[start:stop], window, below=-math.inf)
        for row, stability, trace in _regions(logits, window, cut, crop):
            x, y = prompts[start + row].tolist()
            scores = ious[start + row], stability
            fineness = granularities[start + row]
            found.append(Candidate(trace, trace.box, *scores, (x, y), fineness))
    return [mask for mask in found if not crop.cuts_off(mask.box)]


def well_rated(
    ious: Tensor, wanted: Sequence[bool], threshold: float
) -> tuple[Tensor, Tensor, list[float]]:
    """Points (M,) and outputs (M,) of the entries of (N, K) above the threshold, in order, and the entries.

    ``wanted`` (K,) says which outputs count at all. All is read back at once, for it is little and how many
    there are decides what comes next; so points and outputs are the host's.

    A threshold of 0 or less keeps everything: a predicted IoU can be negative.
    """
    on_host = ious.cpu()
    keep = on_host > threshold if threshold > 0 else torch.ones_like(on_host, dtype=torch.bool)
    point, output = (keep & torch.tensor(wanted)).nonzero(as_tuple=True)
    return point, output, on_host[point, output].tolist()


def boxes_of(flags: Tensor) -> NDArray[np.int64]:
    """Boxes (M, 4) of maps (M, a, b), on the host: x0, y0, x1, y1, ends outside; of empty maps all 0."""
    (x0, x1), (y0, y1) = bounds(flags.any(1)), bounds(flags.any(2))
    boxes: NDArray[np.int64] = torch.stack([x0, y0, x1, y1], dim=1).cpu().numpy()
    return boxes


def bounds(flags: Tensor) -> tuple[Tensor, Tensor]:
    """Of each row (M, n) the first that is true and the one after the last; 0 and 0 if none is."""
    n = flags.shape[1]
    index = torch.arange(n, device=flags.device)
    stop = torch.where(flags, index + 1, 0).amax(1)
    return torch.where(flags, index, n).amin(1).minimum(stop), stop


def pixels_at_once(small: Tensor) -> int:
    """Pixels of windows of such maps that are looked at together."""
    return PIXELS_AT_ONCE_ON_CPU if small.is_cpu else PIXELS_AT_ONCE


def window_groups(windows: Sequence[BoxXYXY], pixels: int) -> Iterator[tuple[int, int, BoxXYXY]]:
    """Masks to enlarge together, from and to before, and the window around all of theirs.

    As many as have at most so many pixels in that window, or one alone; none whose own window is empty, for
    so is the mask.
    """
    start, around = 0, None
    for row, window in enumerate([*windows, (0, 0, 0, 0)]):
        both = _around(around, window) if around else window
        fits = _pixels(window) > 0 and (row + 1 - start) * _pixels(both) <= pixels
        if around and not fits:
            yield start, row, around
        if not around or not fits:
            start, both = row, window
        around = both if _pixels(window) else None


def _around(one: BoxXYXY, other: BoxXYXY) -> BoxXYXY:
    (a, b, c, d), (x0, y0, x1, y1) = one, other
    return min(a, x0), min(b, y0), max(c, x1), max(d, y1)


def _pixels(window: BoxXYXY) -> int:
    x0, y0, x1, y1 = window
    return max(0, x1 - x0) * max(0, y1 - y0)


def _regions(
    logits: Tensor, window: BoxXYXY, cut: Cut, crop: Crop
) -> Iterator[tuple[int, float, Trace]]:
    """Row, stability and trace of those of logits (M, w, h + 1) that are stable and not empty.

    The logits fill a window of the crop, with a pixel of the lowest below each column.
    """
    stabilities = stability_of(logits, cut)
    rows = np.flatnonzero(cut.is_stable(stabilities))
    kept = logits if len(rows) == len(logits) else logits[rows]
    corner = window[0] + crop.box[0], window[1] + crop.box[1]
    for row, trace in zip(
        rows.tolist(), traces(kept, cut.level, [corner] * len(rows)), strict=True
    ):
        if len(trace):
            yield row, float(stabilities[row]), trace


def stability_of(logits: Tensor, cut: Cut) -> NDArray[np.float32]:
    """(M,): the IoU of each mask cut high with itself cut low.

    The one lies inside the other, so it is a ratio of two areas; not a number if both are empty.
    """
    high, low = (count_above(logits, level).astype(np.float32) for level in (cut.high, cut.low))
    with np.errstate(invalid="ignore"):
        ratio: NDArray[np.float32] = high / low
    return ratio
