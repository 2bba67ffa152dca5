"""Automatic mask generation for any promptable model: a grid of points in, filtered masks out.

The method of Segment Anything (arXiv 2304.02643, section 5 and appendix B): ask for masks at every point of
a grid, over the picture and over ever smaller overlapping crops; keep the masks that the model rates well
and that barely change with the threshold; of those with nearly the same box keep the best. Settings
mean what they mean in the ``segment_anything`` package, and the masks and their order are the same, but
for a pixel here and there whose logit lies within rounding of the threshold.

It is faster in three ways: masks that the model itself rates low are never drawn, the others are enlarged
only where they can be, and a mask is done with, down to its runs, while it lies in the cache. It differs
in two: an empty mask is never returned, whatever the thresholds, and no mask is returned twice (one a pixel
wide has a box without area, which suppression by box never drops).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.ops import nms

from ssa.batching import BatchLimit
from ssa.config import MaskSettings
from ssa.device import memory_errors_told
from ssa.masks.run_lengths import (
    area,
    box_of,
    clean_small_regions,
    decode_part,
    encode,
    encode_runs,
)
from ssa.models.promptable.enlarge import Enlargement
from ssa.models.promptable.tracing import Outline, count_above, outlines
from ssa.pictures.crops import scaled_box
from ssa.stages import Progress
from ssa.types import RLE, BoxXYWH, BoxXYXY, MaskProposal, RGBImage

# A box side this near to a crop's side, and not to the picture's, tells of a region cut off.
EDGE_TOLERANCE_PX = 20

# Pixels enlarged together, though one mask may have more: on a CPU what its caches hold, elsewhere 128 MB.
PIXELS_AT_ONCE_ON_CPU = 2**17
PIXELS_AT_ONCE = 2**25

Embedding = TypeVar("Embedding")


class Decoded(Protocol):
    """A model's answers to N points: K masks each, which needn't be drawn before they are asked for."""

    @property
    def ious(self) -> Tensor:
        """How good the model thinks its masks are: (N, K) float32, on the model's device."""
        ...

    def logits(self, points: Tensor, outputs: Tensor) -> Tensor:
        """Small masks (M, a, b), float32, of points (M,), ascending, each one of its K outputs (M,)."""
        ...


class PromptableModel(Protocol[Embedding]):
    """A model that looks at a crop once and then answers any number of point prompts.

    Pixels count from the crop's top left corner. ``mask_threshold`` is the logit above which a pixel is
    inside; ``points_at_once`` is how many points pay to be asked together, and ``points_limit`` knows how
    many memory allows. ``granularities`` says how fine each of the K outputs is, None where a model can't.
    """

    mask_threshold: float
    granularities: Sequence[int | None]
    points_at_once: int
    points_limit: BatchLimit

    def embed(self, crop: RGBImage) -> Embedding:
        """Look at a crop (h, w, 3), RGB uint8."""
        ...

    def decode(self, embedding: Embedding, points_xy: NDArray[np.float64]) -> Decoded:
        """Answer points (N, 2)."""
        ...

    def enlargement(self, embedding: Embedding) -> Enlargement:
        """How small masks (a, b) become masks of the crop's size (h, w)."""
        ...


def no_progress(_done: int, _total: int) -> None:
    """For who doesn't ask how far it is."""


@torch.inference_mode()
def generate(
    model: PromptableModel[Embedding],
    image: RGBImage,
    settings: MaskSettings,
    progress: Progress = no_progress,
    whole: Embedding | None = None,
) -> tuple[MaskProposal, ...]:
    """All masks of a picture (H, W, 3), RGB uint8, of any size; none found is an empty tuple.

    ``whole`` is what ``model.embed`` made of the picture, if it has been asked already.

    Order: best predicted IoU first; with crop layers, the smallest crops' masks first; with clean-up, the
    masks that needed none first.
    """
    height, width = image.shape[:2]
    boxes = crop_boxes(height, width, settings.crop_n_layers, settings.crop_overlap_ratio)
    crops = [_Crop(layer, box, (height, width)) for layer, box in boxes]
    counts = [crop.points_per_side(settings) ** 2 for crop in crops]
    found: list[MaskProposal] = []
    for number, crop in enumerate(crops):
        tell_done = _counting_on(progress, sum(counts[:number]), sum(counts))
        seen = whole if crop.layer == 0 else None
        found += _proposals_of_crop(model, image, crop, settings, tell_done, seen)
    if len(crops) > 1:
        found = _without_copies_across_crops(found, settings.crop_nms_thresh)
    if settings.min_mask_region_area > 0:
        found = _cleaned(found, settings)
    distinct: dict[RLE, MaskProposal] = {}
    for proposal in found:
        distinct.setdefault(proposal.rle, proposal)
    return tuple(distinct.values())


def _counting_on(progress: Progress, before: int, total: int) -> Callable[[int], None]:
    """Tells of one crop's points as of all the picture's."""
    return lambda done: progress(before + done, total)


def point_grid(points_per_side: int) -> NDArray[np.float64]:
    """Centres of a square grid's cells, row by row: (points_per_side², 2) as x, y from 0 to 1."""
    ticks = (np.arange(points_per_side) + 0.5) / points_per_side
    return np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)


def crop_boxes(
    height: int, width: int, n_layers: int, overlap_ratio: float
) -> list[tuple[int, BoxXYXY]]:
    """The whole picture as layer 0, then layers of 2², 4², ... overlapping crops, each with its layer.

    Crops of the first layer share ``overlap_ratio`` of the picture's short side, those of each next half as
    much. On a picture of a few pixels, crops that would be empty are left out.
    """
    boxes = [(0, (0, 0, width, height))]
    for layer in range(1, n_layers + 1):
        n_side = 2**layer
        overlap = int(overlap_ratio * min(height, width) * 2 / n_side)
        columns, rows = _spans(width, n_side, overlap), _spans(height, n_side, overlap)
        boxes += [(layer, (x0, y0, x1, y1)) for (x0, x1), (y0, y1) in product(columns, rows)]
    return boxes


def _spans(length: int, n: int, overlap: int) -> list[tuple[int, int]]:
    """Cut 0 to ``length`` into ``n`` pieces that overlap; empty ones are left out."""
    span = math.ceil((overlap * (n - 1) + length) / n)
    starts = [(span - overlap) * i for i in range(n)]
    return [(start, min(start + span, length)) for start in starts if start < length]


@dataclass(frozen=True, slots=True)
class _Crop:
    """The part of a picture that the model sees: layer, box (xyxy) and the picture's (height, width)."""

    layer: int
    box: BoxXYXY
    image_hw: tuple[int, int]

    @property
    def hw(self) -> tuple[int, int]:
        x0, y0, x1, y1 = self.box
        return y1 - y0, x1 - x0

    def points_per_side(self, settings: MaskSettings) -> int:
        """Fewer in deeper layers, and at least one."""
        scale = settings.crop_n_points_downscale_factor**self.layer
        return max(1, int(settings.points_per_side / scale))

    def cut(self, image: RGBImage) -> RGBImage:
        x0, y0, x1, y1 = self.box
        return np.ascontiguousarray(image[y0:y1, x0:x1])


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where logits are cut: at ``level``, and lower and higher to see how much that changes.

    ``stability`` is how alike the last two must be; 0 or less for anything.
    """

    low: float
    level: float
    high: float
    stability: float

    @classmethod
    def of(cls, level: float, settings: MaskSettings) -> _Cut:
        offset = settings.stability_score_offset
        return cls(level - offset, level, level + offset, settings.stability_score_thresh)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A mask that passed the filters, in the picture's frame; ``box`` has inclusive ends."""

    outline: Outline
    box: BoxXYXY
    predicted_iou: float
    stability: float
    point_xy: tuple[float, float]
    granularity: int | None


def _proposals_of_crop(
    model: PromptableModel[Embedding],
    image: RGBImage,
    crop: _Crop,
    settings: MaskSettings,
    tell_done: Callable[[int], None],
    seen: Embedding | None = None,
) -> list[MaskProposal]:
    """The masks found in one crop, best first, each box's best only, in the picture's frame.

    ``seen`` is the crop's embedding where it is known.
    """
    height, width = crop.hw
    points_xy = point_grid(crop.points_per_side(settings)) * (width, height)
    embedding = model.embed(crop.cut(image)) if seen is None else seen
    at_once = min(settings.points_per_batch, model.points_at_once)

    def look(batch: NDArray[np.float64]) -> list[_Candidate]:
        return _candidates(model, embedding, batch, crop, settings)

    found: list[_Candidate] = []
    done = 0
    for batch, candidates in model.points_limit.run(look, points_xy, at_once):
        found += candidates
        done += len(batch)
        tell_done(done)
    return [_as_proposal(best, crop) for best in _best(found, settings.box_nms_thresh)]


@memory_errors_told
def _candidates(
    model: PromptableModel[Embedding],
    embedding: Embedding,
    points_xy: NDArray[np.float64],
    crop: _Crop,
    settings: MaskSettings,
) -> list[_Candidate]:
    """Decode points (N, 2), drop what the model rates low, and look at the rest where it can be."""
    decoded = model.decode(embedding, points_xy)
    wanted = [one is None or one in settings.granularities for one in model.granularities]
    points, outputs = _well_rated(decoded.ious, wanted, settings.pred_iou_thresh)
    if not len(points):
        return []
    small = decoded.logits(points, outputs)
    ious = decoded.ious[points, outputs].tolist()
    granularities = [model.granularities[output] for output in outputs.tolist()]
    prompts = points_xy[points.cpu().numpy()] + crop.box[:2]
    cut = _Cut.of(model.mask_threshold, settings)
    enlargement = model.enlargement(embedding)
    windows = enlargement.reach(_boxes(small > cut.low))
    found = []
    for start, stop, window in _groups(windows.tolist(), _pixels_at_once(small)):
        logits = enlargement.window(small[start:stop], window, below=-math.inf)
        for row, stability, outline in _regions(logits, window, cut, crop):
            x, y = prompts[start + row].tolist()
            scores = ious[start + row], stability
            fineness = granularities[start + row]
            found.append(_Candidate(outline, outline.box, *scores, (x, y), fineness))
    return [mask for mask in found if not _is_cut_off(mask.box, crop)]


def _well_rated(ious: Tensor, wanted: Sequence[bool], threshold: float) -> tuple[Tensor, Tensor]:
    """Points (M,) and outputs (M,) of the entries of (N, K) above the threshold, in order.

    ``wanted`` (K,) says which outputs count at all.

    A threshold of 0 or less keeps everything: a predicted IoU can be negative.
    """
    keep = ious > threshold if threshold > 0 else torch.ones_like(ious, dtype=torch.bool)
    keep &= torch.tensor(wanted, device=ious.device)
    point, output = keep.nonzero(as_tuple=True)
    return point, output


def _boxes(flags: Tensor) -> NDArray[np.int64]:
    """Boxes (M, 4) of maps (M, a, b), on the host: x0, y0, x1, y1, ends outside; of empty maps all 0."""
    (x0, x1), (y0, y1) = _bounds(flags.any(1)), _bounds(flags.any(2))
    boxes: NDArray[np.int64] = torch.stack([x0, y0, x1, y1], dim=1).cpu().numpy()
    return boxes


def _bounds(flags: Tensor) -> tuple[Tensor, Tensor]:
    """Of each row (M, n) the first that is true and the one after the last; 0 and 0 if none is."""
    n = flags.shape[1]
    index = torch.arange(n, device=flags.device)
    stop = torch.where(flags, index + 1, 0).amax(1)
    return torch.where(flags, index, n).amin(1).minimum(stop), stop


def _pixels_at_once(small: Tensor) -> int:
    return PIXELS_AT_ONCE_ON_CPU if small.is_cpu else PIXELS_AT_ONCE


def _groups(windows: Sequence[BoxXYXY], pixels: int) -> Iterator[tuple[int, int, BoxXYXY]]:
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
    logits: Tensor, window: BoxXYXY, cut: _Cut, crop: _Crop
) -> Iterator[tuple[int, float, Outline]]:
    """Row, stability and outline of those of logits (M, w, h + 1) that are stable and not empty.

    The logits fill a window of the crop, with a pixel of the lowest below each column.
    """
    stabilities = _stability(logits, cut)
    rows = np.flatnonzero(stabilities >= cut.stability if cut.stability > 0 else stabilities >= 0)
    kept = logits if len(rows) == len(logits) else logits[rows]
    corner = window[0] + crop.box[0], window[1] + crop.box[1]
    for row, outline in zip(rows.tolist(), outlines(kept, cut.level, corner), strict=True):
        if len(outline):
            yield row, float(stabilities[row]), outline


def _stability(logits: Tensor, cut: _Cut) -> NDArray[np.float32]:
    """(M,): the IoU of each mask cut high with itself cut low.

    The one lies inside the other, so it is a ratio of two areas; not a number if both are empty.
    """
    high, low = (count_above(logits, level).astype(np.float32) for level in (cut.high, cut.low))
    with np.errstate(invalid="ignore"):
        ratio: NDArray[np.float32] = high / low
    return ratio


def _is_cut_off(box: BoxXYXY, crop: _Crop) -> bool:
    """Whether the box has a side near the crop's that isn't also near the picture's."""
    height, width = crop.image_hw
    return any(
        abs(side - of_crop) <= EDGE_TOLERANCE_PX < abs(side - of_picture)
        for side, of_crop, of_picture in zip(box, crop.box, (0, 0, width, height), strict=True)
    )


def _best(found: Sequence[_Candidate], threshold: float) -> list[_Candidate]:
    """Non-maximum suppression by box, best predicted IoU first; equals keep their order."""
    boxes = torch.tensor([mask.box for mask in found], dtype=torch.float32).reshape(-1, 4)
    ious = torch.tensor([mask.predicted_iou for mask in found], dtype=torch.float32)
    return [found[i] for i in nms(boxes, ious, threshold).tolist()]


def _as_proposal(mask: _Candidate, crop: _Crop) -> MaskProposal:
    height, width = crop.image_hw
    return MaskProposal(
        rle=encode_runs(mask.outline.runs(height, width), height, width),
        bbox_xywh=_xywh(mask.box),
        area_px=mask.outline.area_px,
        predicted_iou=mask.predicted_iou,
        stability_score=mask.stability,
        crop_box_xywh=_xywh(crop.box),
        points_xy=(mask.point_xy,),
        granularity=mask.granularity,
    )


def _without_copies_across_crops(
    found: Sequence[MaskProposal], threshold: float
) -> list[MaskProposal]:
    """Of masks with nearly the same box keep the one from the smallest crop: it saw most detail."""
    crop_areas = torch.tensor([p.crop_box_xywh[2] * p.crop_box_xywh[3] for p in found])
    return _nms(found, 1 / crop_areas, threshold)


def _cleaned(found: Sequence[MaskProposal], settings: MaskSettings) -> list[MaskProposal]:
    """Masks without specks and pinholes; where two become alike, the one that needed no change stays."""
    pairs = [_clean_one(proposal, settings.min_mask_region_area) for proposal in found]
    untouched = torch.tensor([not changed for _, changed in pairs], dtype=torch.float32)
    threshold = max(settings.box_nms_thresh, settings.crop_nms_thresh)
    return _nms([proposal for proposal, _ in pairs], untouched, threshold)


def _clean_one(proposal: MaskProposal, min_area: int) -> tuple[MaskProposal, bool]:
    """The mask without specks and pinholes, and whether it had any; only its surroundings are looked at.

    They reach ``min_area`` pixels beyond its box, so background that goes on outside is never a pinhole.
    """
    height, width = proposal.rle.height, proposal.rle.width
    left, top, right, bottom = scaled_box(proposal.bbox_xywh, 1.0, height, width)
    x0, y0 = max(left - min_area, 0), max(top - min_area, 0)
    x1, y1 = min(right + min_area, width), min(bottom + min_area, height)
    part, changed = clean_small_regions(decode_part(proposal.rle, (x0, y0, x1, y1)), min_area)
    if not changed:
        return proposal, False
    mask = np.zeros((height, width), dtype=np.bool_)
    mask[y0:y1, x0:x1] = part
    rle = encode(mask)
    return replace(proposal, rle=rle, bbox_xywh=box_of(mask), area_px=area(rle)), True


def _nms(found: Sequence[MaskProposal], scores: Tensor, threshold: float) -> list[MaskProposal]:
    """Non-maximum suppression by box, best score first; equal scores keep their order."""
    boxes = torch.tensor([p.bbox_xywh for p in found], dtype=torch.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return [found[i] for i in nms(boxes, scores.float(), threshold).tolist()]


def _xywh(box_xyxy: Sequence[int]) -> BoxXYWH:
    x0, y0, x1, y1 = box_xyxy
    return (float(x0), float(y0), float(x1 - x0), float(y1 - y0))
