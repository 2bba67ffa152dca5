"""Training crops: what the engine will cut out of a picture, with the truth of what it shows."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from toyworld.scenes import Scene
from toyworld.train.pool import ScenePool

ROLE_WEIGHTS = {"stuff": 0.6, "object": 1.0, "part": 0.7}


@dataclass(frozen=True, slots=True)
class Crop:
    """A region's scaled box in its scene; ``box_xyxy`` are whole pixels, clipped to the picture."""

    scene: Scene
    region: int
    box_xyxy: tuple[int, int, int, int]

    def pixels(self, side: int) -> NDArray[np.uint8]:
        """(side, side, 3) RGB uint8, squashed to a square as the miniatures' processors do."""
        left, top, right, bottom = self.box_xyxy
        cut = self.scene.image[top:bottom, left:right]
        shrink = min(cut.shape[:2]) > side
        how = cv2.INTER_AREA if shrink else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(cut, (side, side), interpolation=how))

    def mask(self, region: int, side: int) -> NDArray[np.bool_]:
        """(side, side) bool of any region of the scene inside the crop."""
        left, top, right, bottom = self.box_xyxy
        cut = self.scene.regions[region].mask[top:bottom, left:right].astype(np.uint8)
        return np.asarray(cv2.resize(cut, (side, side), interpolation=cv2.INTER_NEAREST)) > 0


def sample_crops(
    pool: ScenePool, step: int, count: int, scale: float, rng: np.random.Generator
) -> list[Crop]:
    """``count`` crops of regions that can be told at all, their boxes slightly off."""
    crops = []
    for _ in range(count):
        scene = pool.scene(step, rng)
        region = pick_region(scene, rng)
        crops.append(Crop(scene, region, jittered_box(scene.regions[region].mask, scale, rng)))
    return crops


def pick_region(scene: Scene, rng: np.random.Generator) -> int:
    """A region at random: objects more often than parts or stuff, and none that is nearly hidden."""
    weights = np.array(
        [ROLE_WEIGHTS[r.role] * (r.visible > 0.25 and r.mask.sum() >= 100) for r in scene.regions]
    )
    return int(rng.choice(len(weights), p=weights / weights.sum()))


def jittered_box(
    mask: NDArray[np.bool_], scale: float, rng: np.random.Generator
) -> tuple[int, int, int, int]:
    """The mask's box, each edge moved by up to 4 % (a predicted mask is never exact), then scaled."""
    height, width = mask.shape
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, bottom = rows[0], rows[-1] + 1
    left, right = columns[0], columns[-1] + 1
    jitter = rng.uniform(-0.04, 0.04, 4)
    left, right = left + jitter[0] * (right - left), right + jitter[1] * (right - left)
    top, bottom = top + jitter[2] * (bottom - top), bottom + jitter[3] * (bottom - top)
    middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
    half_w, half_h = (right - left) * scale / 2, (bottom - top) * scale / 2
    return (
        max(0, int(middle_x - half_w)),
        max(0, int(middle_y - half_h)),
        min(width, int(np.ceil(middle_x + half_w))),
        min(height, int(np.ceil(middle_y + half_h))),
    )


def normalised(
    crops: list[NDArray[np.uint8]], mean: NDArray[np.float32], std: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(N, 3, side, side) float32 from N RGB uint8 crops; mean and std on the 0 to 255 scale."""
    pixels = (np.stack(crops).astype(np.float32) - mean) / std
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))
