"""Where a model looks and is asked: the picture and its crops, and the grid of points in each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ssa.config import MaskSettings
from ssa.types import BoxXYXY, ExtentXYXY, RGBImage

# A box side this near to a crop's side, and not to the picture's, tells of a region cut off.
EDGE_TOLERANCE_PX = 20


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
class Crop:
    """The part of a picture that the model sees: layer, box (xyxy) and the picture's (height, width)."""

    layer: int
    box: BoxXYXY
    image_hw: tuple[int, int]

    @property
    def hw(self) -> tuple[int, int]:
        """Height and width in pixels."""
        x0, y0, x1, y1 = self.box
        return y1 - y0, x1 - x0

    def points_per_side(self, settings: MaskSettings) -> int:
        """Fewer in deeper layers, and at least one."""
        scale = settings.crop_n_points_downscale_factor**self.layer
        return max(1, int(settings.points_per_side / scale))

    def cut(self, image: RGBImage) -> RGBImage:
        """The crop's pixels (h, w, 3) of a picture (H, W, 3), in memory of their own."""
        x0, y0, x1, y1 = self.box
        return np.ascontiguousarray(image[y0:y1, x0:x1])

    def cuts_off(self, box: ExtentXYXY) -> bool:
        """Whether the box has a side near the crop's that isn't also near the picture's."""
        height, width = self.image_hw
        return any(
            abs(side - of_crop) <= EDGE_TOLERANCE_PX < abs(side - of_picture)
            for side, of_crop, of_picture in zip(box, self.box, (0, 0, width, height), strict=True)
        )
