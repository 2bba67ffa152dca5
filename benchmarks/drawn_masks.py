"""Boxes and ellipses in place of found masks, of sizes like those of SA-1B: work without a mask model.

SA-1B's masks span three orders of magnitude in area and most are small (Segment Anything, arXiv
2304.02643, figure 6); a log-uniform draw keeps that spread.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from ssa.masks.proposal import proposal_of
from ssa.types import BoolMask, MaskProposal

# Shares of the picture's area; one mask in six covers more than a tenth of it.
LEAST_SHARE, MOST_SHARE = 0.0005, 0.35
# Width to height, each as a share of the picture's, is drawn from 1 to this, either way.
LONGEST_RATIO = 3.0
ELLIPSE_IN_BOX = math.pi / 4


def draw_masks(count: int, height: int, width: int, seed: int = 0) -> tuple[MaskProposal, ...]:
    """``count`` boxes and ellipses in turn, inside a picture of ``height`` × ``width`` px.

    The same seed gives the same shapes in relation to the picture, whatever its size.
    """
    rng = np.random.default_rng(seed)
    return tuple(_draw_one(rng, height, width, round_=bool(i % 2)) for i in range(count))


def _draw_one(rng: np.random.Generator, height: int, width: int, *, round_: bool) -> MaskProposal:
    share = math.exp(rng.uniform(math.log(LEAST_SHARE), math.log(MOST_SHARE)))
    ratio = math.exp(rng.uniform(-math.log(LONGEST_RATIO), math.log(LONGEST_RATIO)))
    box_share = share / ELLIPSE_IN_BOX if round_ else share
    # Not so long that it would not fit.
    ratio = min(max(ratio, box_share), 1 / box_share)
    # As shares of the picture's sides.
    across, down = math.sqrt(box_share * ratio), math.sqrt(box_share / ratio)
    left, top = rng.uniform(0, 1 - across), rng.uniform(0, 1 - down)
    box = (left * width, top * height, across * width, down * height)
    return proposal_of(_ellipse(box, height, width) if round_ else _rectangle(box, height, width))


def _rectangle(box: tuple[float, float, float, float], height: int, width: int) -> BoolMask:
    (x0, x1), (y0, y1) = _span(box[0], box[2], width), _span(box[1], box[3], height)
    mask = np.zeros((height, width), np.bool_)
    mask[y0:y1, x0:x1] = True
    return mask


def _ellipse(box: tuple[float, float, float, float], height: int, width: int) -> BoolMask:
    (x0, x1), (y0, y1) = _span(box[0], box[2], width), _span(box[1], box[3], height)
    canvas = np.zeros((height, width), np.uint8)
    # Sixteenths of a pixel.
    centre = (8 * (x0 + x1 - 1), 8 * (y0 + y1 - 1))
    axes = (8 * (x1 - x0 - 1), 8 * (y1 - y0 - 1))
    cv2.ellipse(canvas, centre, axes, 0, 0, 360, 1, thickness=-1, shift=4)
    return canvas.astype(np.bool_)


def _span(start: float, length: float, limit: int) -> tuple[int, int]:
    first = min(round(start), limit - 1)
    return first, min(max(round(start + length), first + 1), limit)
