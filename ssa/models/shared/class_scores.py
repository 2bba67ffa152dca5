"""Class scores on a coarse grid → the best class of each pixel, in bands of rows to save memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from ssa.models.shared.class_counts import class_counts
from ssa.models.shared.class_runs import ClassRuns
from ssa.models.shared.coarse import grid_of
from ssa.models.shared.pixels import resize_bilinear
from ssa.types import RLE, LabelMap

# Class scores are enlarged to the picture's size a band of rows at a time, this many numbers a band
# (32 MiB of float32): all of a 100 megapixel picture with 150 classes would take 60 GB.
BAND_NUMBERS = 2**23

# In bulk 256 MiB, for each band is some launches.
BULK_BAND_NUMBERS = 2**26

# How rows are resized, for so many sizes of grids and pictures: 1 MB each, of a large picture 10 MB.
WEIGHTS_KEPT = 8


def class_scores(class_logits: Tensor, mask_logits: Tensor) -> Tensor:
    """Each class's score in each cell of the mask grid, (C, h, w) float32.

    ``class_logits`` is (Q, C + 1) with "no object" last, ``mask_logits`` (Q, h, w): a class's score is the
    sum over queries of its probability times the mask's (Cheng et al. 2021, arXiv:2107.06278, section 3.4).
    """
    classes = class_logits.float().softmax(dim=-1)[:, :-1]
    return torch.einsum("qc,qhw->chw", classes, mask_logits.float().sigmoid())


@dataclass(frozen=True, slots=True)
class ClassGrid:
    """The class of each cell, ``ids`` (h, w) int16, and those there may be, ``classes`` (C,) int64."""

    ids: Tensor
    classes: Tensor


def label_map(
    source: str,
    labels: tuple[str, ...],
    grid: ClassGrid,
    image_hw: tuple[int, ...],
    *,
    in_bulk: bool,
) -> LabelMap:
    """The map of a picture of ``image_hw``, for who reads it or has masks counted on it.

    ``in_bulk`` it stays where it is, to count on, unless its grid is coarser than the picture.
    """
    on_host = grid.ids.cpu().numpy()
    height, width = image_hw
    if in_bulk and on_host.shape == image_hw:
        count = partial(class_counts, grid.ids, len(labels), present=grid.classes)
        return LabelMap(source, on_host, labels, count)
    count = partial(_counted_on_host, on_host, (height, width), len(labels))
    return LabelMap(source, on_host, labels, count)


def _counted_on_host(
    grid: NDArray[np.int16], image_hw: tuple[int, int], classes: int, masks: Sequence[RLE]
) -> NDArray[np.int64]:
    return ClassRuns.of(grid, image_hw).counts(classes, masks)


def best_class(
    scores: Tensor,
    image_hw: tuple[int, ...],
    antialias: bool = True,
    *,
    coarse: bool = False,
    in_bulk: bool = False,
) -> ClassGrid:
    """The best class of each pixel, (H, W), after resizing ``scores`` (C, h, w) bilinearly.

    Equals resizing the whole and taking the argmax, up to rounding at ties. ``antialias`` matters only
    where a side shrinks; most published segmentors are evaluated without. ``coarse``, it is the best class
    of each cell of the grid of ``grid_of``: up to 4 megapixels the same.
    """
    height, width = grid_of(image_hw[0], image_hw[1]) if coarse else image_hw
    if not antialias or (height >= scores.shape[1] and width >= scores.shape[2]):
        # Each pixel then lies between four points of the grid at most.
        classes = possible_winners(scores)
    else:
        classes = torch.arange(len(scores), device=scores.device)
    bands = [
        # Not argmax, which is thirty times slower along the first dimension on a CPU.
        classes[band.max(dim=0).indices].to(torch.int16)
        for band in _bands_of_rows(
            scores[classes],
            (height, width),
            antialias,
            BULK_BAND_NUMBERS if in_bulk else BAND_NUMBERS,
        )
    ]
    return ClassGrid(torch.cat(bands), classes)


def possible_winners(scores: Tensor) -> Tensor:
    """The classes of ``scores`` (C, h, w) that may be best somewhere between the grid's points, in order.

    Between four points a class is at most as high as at its highest one, and at least as high as at its
    lowest: one whose highest is below another's lowest loses there. Of 150 classes a dozen are left.
    """
    window = min(2, scores.shape[1]), min(2, scores.shape[2])
    highest = functional.max_pool2d(scores, window, stride=1)
    lowest = -functional.max_pool2d(-scores, window, stride=1)
    may_win = highest >= lowest.amax(dim=0)
    return may_win.flatten(1).any(dim=1).nonzero()[:, 0]


def _bands_of_rows(
    scores: Tensor, size_hw: tuple[int, int], antialias: bool, numbers: int
) -> Iterator[Tensor]:
    """``scores`` (C, h, w) resized to ``size_hw``, in bands (C, some rows, width) of so many numbers."""
    height, width = size_hw
    row_weights = _resizing_weights(scores.shape[1], height, scores.device, antialias)
    rows = max(1, numbers // (len(scores) * width))
    for weights in torch.split(row_weights, rows):
        band = torch.einsum("chw,rh->crw", scores, weights)
        yield resize_bilinear(band[None], (len(weights), width), antialias)[0]


@lru_cache(maxsize=WEIGHTS_KEPT)
def _resizing_weights(old: int, new: int, device: torch.device, antialias: bool) -> Tensor:
    """(new, old) weights of each old line in each new one: what resizing makes of a unit matrix."""
    unit = torch.eye(old, device=device)
    return resize_bilinear(unit[None, None], (new, old), antialias)[0, 0]
