"""Automatic mask generation for any promptable model: a grid of points in, filtered masks out.

The method of Segment Anything (arXiv 2304.02643, section 5 and appendix B): ask for masks at every point of
a grid, over the picture and over ever smaller overlapping crops; keep the masks that the model rates well
and that barely change with the threshold; of those with nearly the same box keep the best. Settings
mean what they mean in the ``segment_anything`` package, and the masks and their order are the same.
One difference is speed: masks that the model itself rates low are dropped before they are enlarged.
Two others: an empty mask is never returned, whatever the thresholds, and no mask is returned twice (one a
pixel wide has a box without area, which suppression by box never drops).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, product
from typing import Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.ops import nms

from ssa.config import MaskSettings
from ssa.masks import area, box_of, clean_small_regions, decode, decode_runs, encode, encode_runs
from ssa.stages import Progress
from ssa.types import RLE, BoxXYWH, BoxXYXY, MaskProposal, RGBImage

# A box side this near to a crop's side, and not to the picture's, tells of a region cut off.
EDGE_TOLERANCE_PX = 20

# Enlarged logits held at once: 128 MB of float32 at most, and never more than 64 masks, since a model
# may pass through a larger size on its way.
CHUNK_PIXELS = 2**25
CHUNK_MASKS = 64

Embedding = TypeVar("Embedding")


class PromptableModel(Protocol[Embedding]):
    """A model that looks at a crop once and then answers any number of point prompts.

    Pixels count from the crop's top left corner. ``mask_threshold`` is the logit above which a pixel
    is inside. Tensors are float32 and on one device, the model's own.
    """

    mask_threshold: float

    def embed(self, crop: RGBImage) -> Embedding:
        """Look at a crop (h, w, 3), RGB uint8."""
        ...

    def decode(self, embedding: Embedding, points_xy: NDArray[np.float64]) -> tuple[Tensor, Tensor]:
        """Points (N, 2) → K masks each: small logits (N, K, a, b) and predicted IoUs (N, K)."""
        ...

    def upscale(self, embedding: Embedding, logits: Tensor) -> Tensor:
        """Small logits (M, a, b) → logits (M, h, w) of the crop's size."""
        ...


def no_progress(_done: int, _total: int) -> None:
    """For who doesn't ask how far it is."""


@torch.inference_mode()
def generate(
    model: PromptableModel[Embedding],
    image: RGBImage,
    settings: MaskSettings,
    progress: Progress = no_progress,
) -> tuple[MaskProposal, ...]:
    """All masks of a picture (H, W, 3), RGB uint8, of any size; none found is an empty tuple.

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
        found += _proposals_of_crop(model, image, crop, settings, tell_done)
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
class _Candidates:
    """Masks of one crop that passed the filters, a row each, in the crop's frame.

    ``boxes`` (M, 4) xyxy with inclusive ends, ``predicted_ious`` (M,), ``stabilities`` (M,) and ``points``
    (M,), the index of the prompt, are tensors on the model's device; ``runs`` are plain run lengths on
    the host, which take far less memory than masks.
    """

    boxes: Tensor
    predicted_ious: Tensor
    stabilities: Tensor
    points: Tensor
    runs: tuple[NDArray[np.int64], ...]


def _proposals_of_crop(
    model: PromptableModel[Embedding],
    image: RGBImage,
    crop: _Crop,
    settings: MaskSettings,
    tell_done: Callable[[int], None],
) -> list[MaskProposal]:
    """The masks found in one crop, best first, each box's best only, in the picture's frame."""
    height, width = crop.hw
    points_xy = point_grid(crop.points_per_side(settings)) * (width, height)
    embedding = model.embed(crop.cut(image))
    chunks = list(_candidates(model, embedding, points_xy, crop, settings, tell_done))
    if not chunks:
        return []
    found = _concatenated(chunks)
    keep = nms(found.boxes.float(), found.predicted_ious, settings.box_nms_thresh)
    return _as_proposals(found, keep, points_xy, crop)


def _candidates(
    model: PromptableModel[Embedding],
    embedding: Embedding,
    points_xy: NDArray[np.float64],
    crop: _Crop,
    settings: MaskSettings,
    tell_done: Callable[[int], None],
) -> Iterator[_Candidates]:
    """Decode all points in batches, drop what the model rates low, enlarge the rest in chunks."""
    chunk = max(1, min(CHUNK_MASKS, CHUNK_PIXELS // math.prod(crop.hw)))
    for first in range(0, len(points_xy), settings.points_per_batch):
        batch = points_xy[first : first + settings.points_per_batch]
        rated = _well_rated(*model.decode(embedding, batch), settings.pred_iou_thresh)
        for start in range(0, len(rated[0]), chunk):
            small_logits, points, ious = (column[start : start + chunk] for column in rated)
            logits = model.upscale(embedding, small_logits)
            yield _filtered(logits, ious, points + first, model.mask_threshold, crop, settings)
        tell_done(first + len(batch))


def _well_rated(logits: Tensor, ious: Tensor, threshold: float) -> tuple[Tensor, Tensor, Tensor]:
    """(N, K, a, b) and (N, K) → one row a mask: logits (M, a, b), its point (M,), its IoU (M,).

    A threshold of 0 or less keeps everything: a predicted IoU can be negative.
    """
    keep = ious > threshold if threshold > 0 else torch.ones_like(ious, dtype=torch.bool)
    point, output = keep.nonzero(as_tuple=True)
    return logits[point, output], point, ious[point, output]


def _filtered(
    logits: Tensor,
    ious: Tensor,
    points: Tensor,
    mask_threshold: float,
    crop: _Crop,
    settings: MaskSettings,
) -> _Candidates:
    """Of logits (M, h, w) keep the masks that are stable, not empty and not cut off by the crop."""
    stabilities = _stability(logits, mask_threshold, settings.stability_score_offset)
    masks = logits > mask_threshold
    keep = masks.flatten(1).any(1)
    if settings.stability_score_thresh > 0:
        keep &= stabilities >= settings.stability_score_thresh
    kept = keep.nonzero()[:, 0]
    boxes = _boxes(masks[kept])
    whole = ~_is_cut_off(boxes, crop)
    kept, boxes = kept[whole], boxes[whole]
    runs = _run_lengths(masks[kept])
    return _Candidates(boxes, ious[kept], stabilities[kept], points[kept], runs)


def _stability(logits: Tensor, threshold: float, offset: float) -> Tensor:
    """(M,): the IoU of each mask cut ``offset`` above the threshold with itself cut as much below.

    The one lies inside the other, so it is a ratio of two areas; not a number if both are empty.
    """
    return _areas(logits > threshold + offset) / _areas(logits > threshold - offset)


def _areas(masks: Tensor) -> Tensor:
    """Pixels inside each of (M, h, w); on a CPU short integers make it six times as fast."""
    row_dtype = torch.int16 if masks.shape[2] < 2**15 else torch.int32
    return masks.sum(2, dtype=row_dtype).sum(1)


def _boxes(masks: Tensor) -> Tensor:
    """Boxes (M, 4) of masks (M, h, w), none empty: first column and row, last column and row."""
    if not len(masks):
        return torch.zeros((0, 4), dtype=torch.int64, device=masks.device)
    left, right = _first_and_last(masks.any(1))
    top, bottom = _first_and_last(masks.any(2))
    return torch.stack([left, top, right, bottom], dim=1)


def _first_and_last(flags: Tensor) -> tuple[Tensor, Tensor]:
    """Index of the first and of the last true flag in each row of (M, n); each row has one."""
    n = flags.shape[1]
    index = torch.arange(n, device=flags.device)
    return torch.where(flags, index, n).amin(1), torch.where(flags, index, -1).amax(1)


def _is_cut_off(boxes: Tensor, crop: _Crop) -> Tensor:
    """(M,) bool: whether the box has a side near the crop's that isn't also near the picture's."""
    height, width = crop.image_hw
    in_picture = boxes + boxes.new_tensor(crop.box[:2] * 2)
    near_crop = (in_picture - boxes.new_tensor(crop.box)).abs() <= EDGE_TOLERANCE_PX
    near_picture = (in_picture - boxes.new_tensor([0, 0, width, height])).abs() <= EDGE_TOLERANCE_PX
    return (near_crop & ~near_picture).any(1)


def _run_lengths(masks: Tensor) -> tuple[NDArray[np.int64], ...]:
    """Run lengths of masks (M, h, w), column by column, false first; one transfer to the host."""
    columns = masks.transpose(1, 2).flatten(1)
    changes = columns.clone()  # The pixel before the first counts as false.
    changes[:, 1:] ^= columns[:, :-1]
    row, position = changes.nonzero().cpu().numpy().T
    per_mask = np.split(position, np.searchsorted(row, np.arange(1, len(masks))))
    n_pixels = columns.shape[1]
    return tuple(np.diff(starts, prepend=0, append=n_pixels) for starts in per_mask[: len(masks)])


def _concatenated(parts: Sequence[_Candidates]) -> _Candidates:
    return _Candidates(
        torch.cat([part.boxes for part in parts]),
        torch.cat([part.predicted_ious for part in parts]),
        torch.cat([part.stabilities for part in parts]),
        torch.cat([part.points for part in parts]),
        tuple(chain.from_iterable(part.runs for part in parts)),
    )


def _as_proposals(
    found: _Candidates, keep: Tensor, points_xy: NDArray[np.float64], crop: _Crop
) -> list[MaskProposal]:
    """The kept rows, in that order, moved to the picture's frame."""
    offset = crop.box[:2]
    boxes = found.boxes[keep] + found.boxes.new_tensor(offset * 2)
    prompts = points_xy[found.points[keep].cpu().numpy()] + offset
    return [
        MaskProposal(
            rle=_in_picture(found.runs[i], crop),
            bbox_xywh=_xywh(box),
            area_px=int(found.runs[i][1::2].sum()),
            predicted_iou=iou,
            stability_score=stability,
            crop_box_xywh=_xywh(crop.box),
            points_xy=((x, y),),
        )
        for i, box, iou, stability, (x, y) in zip(
            keep.tolist(),
            boxes.tolist(),
            found.predicted_ious[keep].tolist(),
            found.stabilities[keep].tolist(),
            prompts.tolist(),
            strict=True,
        )
    ]


def _in_picture(runs: NDArray[np.int64], crop: _Crop) -> RLE:
    """A crop's mask as a mask of the whole picture."""
    if crop.hw == crop.image_hw:
        return encode_runs(runs, *crop.hw)
    x0, y0, x1, y1 = crop.box
    mask = np.zeros(crop.image_hw, dtype=np.bool_)
    mask[y0:y1, x0:x1] = decode_runs(runs, *crop.hw)
    return encode(mask)


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
    mask, changed = clean_small_regions(decode(proposal.rle), min_area)
    if not changed:
        return proposal, False
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
