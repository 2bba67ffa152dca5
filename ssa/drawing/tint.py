"""Regions as tints with light outlines; where two that look alike meet, the upper one's outline is white."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from ssa.drawing.colours import are_alike
from ssa.drawing.regions import NOBODY, Region
from ssa.types import RGBImage

# So light that grass stays green under whatever colour its label has.
FILL_OPACITY = 0.22
LINE_OPACITY = 0.9
# The outline is one pixel wide for each so many of the picture's shorter side.
LINE_EVERY_PX = 400
# How far a region's outline is from its colour towards white.
LINE_LIGHTNESS = 0.4
WHITE = 255.0


def tint(image: RGBImage, regions: list[Region], owner: NDArray[np.int32]) -> RGBImage:
    """A copy of the picture (H, W, 3) with every region tinted and outlined; ``owner`` is (H, W)."""
    palette = np.array([one.colour for one in regions], dtype=np.uint8)
    tinted = cv2.addWeighted(image, 1 - FILL_OPACITY, palette[owner], FILL_OPACITY, 0)
    canvas = np.where((owner != NOBODY)[..., None], tinted, image)
    lines = palette + (WHITE - palette) * LINE_LIGHTNESS
    lines[_set_apart(regions, owner)] = WHITE
    return _outlined(canvas, owner, lines)


def _outlined(canvas: RGBImage, owner: NDArray[np.int32], lines: NDArray[np.float64]) -> RGBImage:
    """A line inside each region's visible edge, except where a region on top of it begins.

    One line between any two regions, then, and it belongs to the upper one. ``lines`` (N, 3) are colours.
    """
    weight = _edge_weight(owner, max(1.0, min(owner.shape) / LINE_EVERY_PX))
    touched = weight > 0
    share = weight[touched, None] * LINE_OPACITY
    line = lines[owner[touched]].astype(np.float32)
    result = canvas.copy()
    result[touched] = np.rint(canvas[touched] * (1 - share) + line * share).astype(np.uint8)
    return result


def _set_apart(regions: list[Region], owner: NDArray[np.int32]) -> list[int]:
    """The upper ones of neighbours that look alike though they are called differently."""
    upper = set()
    for low, high in _neighbours(owner):
        one, other = regions[low], regions[high]
        if one.entry != other.entry and are_alike(one.colour, other.colour):
            upper.add(high)
    return sorted(upper)


def _neighbours(owner: NDArray[np.int32]) -> list[tuple[int, int]]:
    """Pairs of regions of which pixels lie side by side, each pair once, the lower one first."""
    beside = np.concatenate(
        [
            np.stack([owner[:, :-1].ravel(), owner[:, 1:].ravel()], axis=1),
            np.stack([owner[:-1].ravel(), owner[1:].ravel()], axis=1),
        ]
    )
    beside = beside[(beside[:, 0] != beside[:, 1]) & (beside != NOBODY).all(axis=1)]
    pairs = np.unique(np.sort(beside, axis=1), axis=0)
    return [(int(low), int(high)) for low, high in pairs]


def _edge_weight(owner: NDArray[np.int32], width_px: float) -> NDArray[np.float32]:
    """(H, W) 0 to 1: how much of the line's width reaches each pixel, from the edge inwards."""
    reach = math.ceil(width_px)
    # Exact: float32 holds whole numbers up to 16 million, and OpenCV's erosion takes no int32.
    depth = owner.astype(np.float32)
    weight = np.zeros(owner.shape, dtype=np.float32)
    for distance in range(reach, 0, -1):
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * distance + 1, 2 * distance + 1))
        near_lower = cv2.erode(depth, disc) < depth
        weight[near_lower] = min(1.0, width_px - (distance - 1))
    return weight
