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

Here the steps follow one another: ``crops`` says where to look, ``candidates`` what is found there and
``suppression`` what of it stays; ``model`` is what a model must be able to do. On a GPU, and where a crop has
more than 4 megapixels, ``rating`` does what ``candidates`` does, but draws at the end, and only what stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from ssa.config import MaskSettings
from ssa.masks.trace import Trace
from ssa.models.promptable.candidates import Candidate, candidates
from ssa.models.promptable.crops import Crop, crop_boxes, point_grid
from ssa.models.promptable.model import Embedding, PromptableModel
from ssa.models.promptable.outlines import outlined
from ssa.models.promptable.rating import Rated, drawn, rated
from ssa.models.promptable.suppression import (
    best_of_each_box,
    distinct,
    without_copies_across_crops,
    without_specks,
)
from ssa.models.shared.coarse import grid_of
from ssa.stages import Progress
from ssa.types import BoxXYWH, MaskProposal, RGBImage

Found = TypeVar("Found", Candidate, Rated)


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
    crops = [Crop(layer, box, (height, width)) for layer, box in boxes]
    counts = [crop.points_per_side(settings) ** 2 for crop in crops]
    found: list[MaskProposal] = []
    for number, crop in enumerate(crops):
        tell_done = _counting_on(progress, sum(counts[:number]), sum(counts))
        seen = whole if crop.layer == 0 else None
        found += _proposals_of_crop(model, image, crop, settings, tell_done, seen)
    if len(crops) > 1:
        found = without_copies_across_crops(found, settings.crop_nms_thresh)
    if settings.min_mask_region_area > 0:
        found = without_specks(found, settings)
    return distinct(found)


def _counting_on(progress: Progress, before: int, total: int) -> Callable[[int], None]:
    """Tells of one crop's points as of all the picture's."""
    return lambda done: progress(before + done, total)


def _proposals_of_crop(
    model: PromptableModel[Embedding],
    image: RGBImage,
    crop: Crop,
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
    if model.in_bulk or grid_of(height, width) != (height, width):
        return _rated_then_drawn(model, embedding, points_xy, crop, settings, tell_done)
    at_once = min(settings.points_per_batch, model.points_at_once)

    def look(batch: NDArray[np.float64]) -> list[Candidate]:
        return candidates(model, embedding, batch, crop, settings)

    found = _asked(model, look, points_xy, at_once, tell_done)
    return [
        _as_proposal(best, best.trace, crop)
        for best in best_of_each_box(found, settings.box_nms_thresh)
    ]


def _rated_then_drawn(
    model: PromptableModel[Embedding],
    embedding: Embedding,
    points_xy: NDArray[np.float64],
    crop: Crop,
    settings: MaskSettings,
    tell_done: Callable[[int], None],
) -> list[MaskProposal]:
    """The same in few large operations, masks compared on a grid no larger than need be."""
    full, grid_hw = model.enlargement(embedding), grid_of(*crop.hw)
    grid = full if grid_hw == crop.hw else model.enlargement(embedding, grid_hw)
    usual = min(settings.points_per_batch, model.points_at_once)

    def look(batch: NDArray[np.float64]) -> list[Rated]:
        return rated(model, embedding, batch, crop, settings, (grid, grid_hw))

    found = _asked(
        model, look, points_xy, model.points_at_once if model.in_bulk else usual, tell_done
    )
    best = best_of_each_box(found, settings.box_nms_thresh)
    draw = drawn if model.in_bulk else outlined
    traces = draw(best, full, model.mask_threshold, crop)
    # A sliver of the grid may be nothing at full size.
    return [_as_proposal(*pair, crop) for pair in zip(best, traces, strict=True) if len(pair[1])]


def _asked(
    model: PromptableModel[Embedding],
    look: Callable[[NDArray[np.float64]], list[Found]],
    points_xy: NDArray[np.float64],
    at_once: int,
    tell_done: Callable[[int], None],
) -> list[Found]:
    """What is found at all points, a batch at a time."""
    found: list[Found] = []
    done = 0
    for batch, batch_found in model.points_limit.run(look, points_xy, at_once):
        found += batch_found
        done += len(batch)
        tell_done(done)
    return found


def _as_proposal(mask: Candidate | Rated, trace: Trace, crop: Crop) -> MaskProposal:
    height, width = crop.image_hw
    return MaskProposal(
        rle=trace.rle(height, width),
        bbox_xywh=_xywh(trace.box),
        area_px=trace.area_px,
        predicted_iou=mask.predicted_iou,
        stability_score=mask.stability,
        crop_box_xywh=_xywh(crop.box),
        points_xy=(mask.point_xy,),
        granularity=mask.granularity,
    )


def _xywh(box_xyxy: Sequence[int]) -> BoxXYWH:
    x0, y0, x1, y1 = box_xyxy
    return (float(x0), float(y0), float(x1 - x0), float(y1 - y0))
