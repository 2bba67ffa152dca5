"""How the engine's time grows: with the number of masks, and with the picture's pixels."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch

from benchmarks.compare import Side, our_labelling, time_once
from benchmarks.drawn_masks import draw_masks
from ssa.config import Settings
from ssa.stages import Stages
from ssa.types import RGBImage

MASK_COUNTS = (25, 50, 100, 200)
PICTURE_SCALES = (0.5, 1.0, 2.0)
MASKS_AT_EACH_SCALE = 50


@dataclass(frozen=True, slots=True)
class Slope:
    """Seconds at each size, and the straight line through them by least squares."""

    sizes: tuple[float, ...]
    seconds: tuple[float, ...]

    @property
    def line(self) -> tuple[float, float]:
        """Seconds for each one more, and seconds for none."""
        each, none = np.polyfit(self.sizes, self.seconds, 1)
        return float(each), float(none)

    @property
    def r_squared(self) -> float:
        """The share of the variance that the line explains: 1 when time grows along it exactly."""
        each, none = self.line
        error = np.square(np.array(self.seconds) - (each * np.array(self.sizes) + none)).sum()
        spread = np.square(np.array(self.seconds) - np.mean(self.seconds)).sum()
        return float(1 - error / spread) if spread else 1.0


def slope_over_masks(
    stages: Stages,
    image: RGBImage,
    settings: Settings,
    device: torch.device,
    repeats: int,
    counts: Sequence[int] = MASK_COUNTS,
) -> Slope:
    """Labelling 25, 50, 100 and 200 drawn masks of one picture."""
    seconds = [_seconds(stages, image, settings, device, repeats, count) for count in counts]
    return Slope(tuple(map(float, counts)), tuple(seconds))


def slope_over_pixels(
    stages: Stages, image: RGBImage, settings: Settings, device: torch.device, repeats: int
) -> Slope:
    """Labelling the same drawn masks on half, the same and double the picture; sizes in megapixels."""
    pictures = [
        cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        for scale in PICTURE_SCALES
    ]
    seconds = [
        _seconds(stages, picture, settings, device, repeats, MASKS_AT_EACH_SCALE)
        for picture in pictures
    ]
    return Slope(tuple(p.shape[0] * p.shape[1] / 1e6 for p in pictures), tuple(seconds))


def _seconds(
    stages: Stages,
    image: RGBImage,
    settings: Settings,
    device: torch.device,
    repeats: int,
    count: int,
) -> float:
    """The median of ``repeats`` runs, after one that fills the label caches."""
    run = our_labelling(stages, image, draw_masks(count, *image.shape[:2]), settings)
    side = Side()
    for _ in range(repeats + 1):
        time_once(run, side, device)
    return statistics.median(side.seconds[1:])
