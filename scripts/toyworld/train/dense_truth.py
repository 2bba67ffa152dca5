"""What a dense ranker should see of a drawn scene: regions, and the kinds at each place of its grid."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from toyworld.kinds import KINDS
from toyworld.scenes import Scene
from toyworld.train.pool import resized
from toyworld.train.sam_truth import region_maps

SIDE, PATCH = 256, 8
# Pictures keep their shape: by their height in pixels, how many rows and columns of patches they are seen in.
GRIDS = {256: (32, 32), 192: (28, 37)}
REGIONS = 12  # asked of a picture
LEAST_VISIBLE, LEAST_PX = 0.25, 100
KIND_NAMES = tuple(KINDS)


def some_regions(scene: Scene, rng: np.random.Generator) -> NDArray[np.int64]:
    """REGIONS that can be told at all, each once where there are as many."""
    told = [r.visible > LEAST_VISIBLE and r.mask.sum() >= LEAST_PX for r in scene.regions]
    able = np.flatnonzero(told)
    if len(able) >= REGIONS:
        return rng.permutation(able)[:REGIONS]
    return np.concatenate([able, rng.choice(able, REGIONS - len(able))])


def pixels_of(scene: Scene) -> NDArray[np.float32]:
    """(3, rows · PATCH, columns · PATCH) RGB, 0 to 1."""
    rows, columns = GRIDS[scene.image.shape[0]]
    fitted = resized(scene, rows * PATCH, columns * PATCH).image
    return np.asarray(fitted.transpose(2, 0, 1) / np.float32(255), np.float32)


def cover(scene: Scene, regions: NDArray[np.int64]) -> NDArray[np.float32]:
    """(R, N) float32: of each patch, the share that a region covers."""
    rows, columns = GRIDS[scene.image.shape[0]]
    masks = [scene.regions[int(region)].mask.astype(np.float32) for region in regions]
    cells = [cv2.resize(mask, (columns, rows), interpolation=cv2.INTER_AREA) for mask in masks]
    return np.stack(cells).reshape(len(cells), -1)


def kinds_at(scene: Scene) -> NDArray[np.bool_]:
    """(N, kinds) bool: the kinds of the smallest and of the whole region in the middle of each patch."""
    height, width = scene.image.shape[:2]
    rows, columns = (
        ((np.arange(count) + 0.5) * side / count).astype(np.int64)
        for count, side in zip(GRIDS[height], (height, width), strict=True)
    )
    at = np.array([KIND_NAMES.index(region.kind) for region in scene.regions])
    there = np.zeros((len(rows) * len(columns), len(KIND_NAMES)), np.bool_)
    for regions in region_maps(scene):
        kinds = at[regions[np.ix_(rows, columns)]].reshape(-1)
        there[np.arange(len(kinds)), kinds] = True
    return there
