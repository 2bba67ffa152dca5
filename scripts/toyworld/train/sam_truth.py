"""What a scene teaches a SAM: points with the regions under them, and kinds and boxes at every cell."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from toyworld.kinds import KINDS
from toyworld.scenes import Scene

SIDE = 256
CELLS = SIDE // 4  # side of the low-resolution masks
PROMPTS = 12  # points a picture

KIND_INDEX = {name: index for index, name in enumerate(KINDS)}


@dataclass(frozen=True, slots=True)
class Truth:
    """What one scene teaches.

    ``pixels`` (3, SIDE, SIDE) float32, normalised and zero-padded; ``points`` (P, 2) x, y in SIDE's
    frame; ``small`` and ``large`` (P, CELLS, CELLS) coverage 0 to 1 of the smallest and the largest
    region under each point; ``kinds`` (CELLS, CELLS) int64, -1 outside; ``boxes`` (4, CELLS, CELLS)
    distances to the region's box, in cells / 16; ``inside`` (CELLS, CELLS) bool.
    """

    pixels: Tensor
    points: Tensor
    small: Tensor
    large: Tensor
    kinds: Tensor
    boxes: Tensor
    inside: Tensor


def truth_of(
    scene: Scene,
    rng: np.random.Generator,
    mean: NDArray[np.float32],
    std: NDArray[np.float32],
) -> Truth:
    """What a scene teaches, with points drawn from it; mean and std on the 0 to 255 scale."""
    chosen = sample_points(scene, rng)
    small = np.stack([coverage(scene.regions[s].mask) for _, s, _ in chosen])
    large = np.stack([coverage(scene.regions[w].mask) for _, _, w in chosen])
    kinds, boxes, inside = dense_truth(scene)
    pixels = np.zeros((SIDE, SIDE, 3), np.float32)
    pixels[: scene.image.shape[0]] = (scene.image - mean) / std
    return Truth(
        pixels=torch.from_numpy(pixels).permute(2, 0, 1).contiguous(),
        points=torch.tensor([p for p, _, _ in chosen], dtype=torch.float32),
        small=torch.from_numpy(small),
        large=torch.from_numpy(large),
        kinds=torch.from_numpy(kinds),
        boxes=torch.from_numpy(boxes),
        inside=torch.from_numpy(inside),
    )


def sample_points(
    scene: Scene, rng: np.random.Generator
) -> list[tuple[tuple[float, float], int, int]]:
    """Points with the indices of the smallest and the largest region under each.

    Three in four begin with a region (things before stuff), so that small ones are not rare; the
    rest fall anywhere, as the points of automatic mask generation do.
    """
    smallest, whole = region_maps(scene)
    weights = np.array([{"stuff": 0.5, "object": 1.0, "part": 1.0}[r.role] for r in scene.regions])
    points = []
    for _ in range(PROMPTS):
        if rng.random() < 0.75:
            region = int(rng.choice(len(weights), p=weights / weights.sum()))
            ys, xs = np.nonzero(scene.regions[region].mask)
            at = int(rng.integers(len(ys)))
            y, x = int(ys[at]), int(xs[at])
        else:
            y, x = int(rng.integers(smallest.shape[0])), int(rng.integers(smallest.shape[1]))
        points.append(((float(x), float(y)), int(smallest[y, x]), int(whole[y, x])))
    return points


def region_maps(scene: Scene) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Index of the smallest and of the largest region at each pixel, (H, W) int64."""
    smallest = np.zeros(scene.image.shape[:2], np.int64)
    whole = smallest.copy()
    for index, region in enumerate(scene.regions):
        if region.role != "part":
            whole[region.mask] = index
            smallest[region.mask] = index
    for index, region in enumerate(scene.regions):
        if region.role == "part":
            smallest[region.mask] = index
    return smallest, whole


def dense_truth(
    scene: Scene,
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.bool_]]:
    """Kinds, distances to the boxes of whole and smallest region, and the picture's cells."""
    smallest, whole = (m[2::4, 2::4] for m in region_maps(scene))
    height, width = smallest.shape
    kinds = np.full((CELLS, CELLS), -1, np.int64)
    boxes = np.zeros((8, CELLS, CELLS), np.float32)
    inside = np.zeros((CELLS, CELLS), np.bool_)
    names = np.array([KIND_INDEX[r.kind] for r in scene.regions])
    kinds[:height, :width] = names[smallest]
    inside[:height, :width] = True
    edges = np.array([box_edges(r.mask) for r in scene.regions], np.float32) / 4
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32) + 0.5
    for first, regions in ((0, whole), (4, smallest)):
        left, top, right, bottom = np.moveaxis(edges[regions], -1, 0)
        distances = np.stack([xs - left, ys - top, right - xs, bottom - ys]) / 16
        boxes[first : first + 4, :height, :width] = distances
    return kinds, boxes, inside


def box_edges(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """left, top, right, bottom (exclusive) of a mask that is not empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def coverage(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(H, W) bool → (CELLS, CELLS) float32, share of each cell inside; zero in the padding."""
    cells = np.zeros((CELLS, CELLS), np.float32)
    height, width = mask.shape[0] // 4, mask.shape[1] // 4
    cells[:height, :width] = cv2.resize(
        mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA
    )
    return cells
