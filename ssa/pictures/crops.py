"""The part of a picture around a mask: the mask's box, scaled about its centre, cut out."""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ssa.types import BoxXYWH, BoxXYXY

Scalar = TypeVar("Scalar", bound=np.generic)


def scaled_box(bbox_xywh: BoxXYWH, scale: float, height: int, width: int) -> BoxXYXY:
    """Scale a box about its centre and clip it to a picture of ``height`` × ``width`` px.

    The box is a mask's in segment_anything's manner: ``left + width`` is the last column *in* the mask, so
    it spans ``width + 1`` columns. The result has whole pixels, rounded outwards, right and bottom
    exclusive: ``0 <= left < right <= width``, and so downwards; from scale 1 on it holds all of the mask. A
    box beside the picture becomes the nearest pixel of it: a crop is never empty.
    Raises ``ValueError`` for an empty picture, a negative or non-finite box or scale.
    """
    left, top, box_width, box_height = bbox_xywh
    _check(bbox_xywh, scale, height, width)
    x0, x1 = _scaled_span(left, box_width + 1, scale, width)
    y0, y1 = _scaled_span(top, box_height + 1, scale, height)
    return x0, y0, x1, y1


def cut_box(bbox_xywh: BoxXYWH, scale: float, height: int, width: int) -> BoxXYXY:
    """As ``scaled_box``, but by the published engine's rule, which is mmcv's: ends lose their fractions.

    The box's last column and row and its first move outwards by as much, each is cut off towards zero and
    moved into the picture. So the result is at most a pixel smaller to the right and below.
    """
    left, top, box_width, box_height = bbox_xywh
    _check(bbox_xywh, scale, height, width)
    x0, x1 = _cut_span(left, box_width, scale, width)
    y0, y1 = _cut_span(top, box_height, scale, height)
    return x0, y0, x1, y1


def _cut_span(start: float, length: float, scale: float, limit: int) -> tuple[int, int]:
    further = (length + 1) * (scale - 1) * 0.5
    first, last = math.trunc(start - further), math.trunc(start + length + further)
    first, last = (min(max(end, 0), limit - 1) for end in (first, last))
    return first, max(last, first) + 1


def _check(bbox_xywh: BoxXYWH, scale: float, height: int, width: int) -> None:
    sound = all(map(math.isfinite, (*bbox_xywh, scale))) and min(*bbox_xywh[2:], scale) >= 0
    if not sound or height < 1 or width < 1:
        raise ValueError(
            "expected a finite box, a scale and a picture that are not negative or empty; "
            f"got bbox_xywh {bbox_xywh}, scale {scale}, picture {height} × {width}"
        )


def _scaled_span(start: float, length: float, scale: float, limit: int) -> tuple[int, int]:
    centre, half = start + length / 2, length * scale / 2
    first = min(max(math.floor(centre - half), 0), limit - 1)
    last = min(max(math.ceil(centre + half), first + 1), limit)
    return first, last


def crop(pixels: NDArray[Scalar], box_xyxy: BoxXYXY) -> NDArray[Scalar]:
    """The part of a picture (H, W, 3) or a mask (H, W) inside a box: a view, nothing is copied."""
    left, top, right, bottom = box_xyxy
    return pixels[top:bottom, left:right]
