"""What drawn scenes teach a model that answers clicks: pixels, clicks, and the regions under each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from toyworld.kinds import KINDS
from toyworld.scenes import Scene
from toyworld.train.sam_truth import box_edges, region_maps

MASK_STRIDE = 4
CLICK_SIDE = 0.005  # a click is a box of this side
KIND_INDEX = {name: index for index, name in enumerate(KINDS)}
# A click in so many falls anywhere; of the others every second asks for a part, if there is one.
ANYWHERE, ON_PART = 0.2, 0.5


@dataclass(frozen=True, slots=True)
class Lesson:
    """One scene as a lesson of N clicks, or, with a batch dimension before all others, several.

    Boxes are cx, cy, w, h relative to the padded picture. ``pixels`` (3, H, W) float32, normalised and
    zero-padded; ``clicks`` (N, 4); ``masks`` (N, 2, H/4, W/4) coverage 0 to 1 of the largest and of the
    smallest region under each click; ``boxes`` (N, 2, 4) theirs; ``kinds`` (H/4, W/4) int64, the kind of
    the smallest region at each cell, -1 in the padding; ``fields`` (8, H/4, W/4), at each cell the boxes
    of the largest and of the smallest region there.
    """

    pixels: Tensor
    clicks: Tensor
    masks: Tensor
    boxes: Tensor
    kinds: Tensor
    fields: Tensor


def lesson(
    scene: Scene,
    short_side_px: int,
    clicks: int,
    mean: NDArray[np.float32],
    std: NDArray[np.float32],
    rng: np.random.Generator,
) -> Lesson:
    """The scene at the size that the model sees it in, with clicks drawn from it."""
    height, width = scene.image.shape[:2]
    scale = short_side_px / min(height, width)
    size_hw = round(height * scale), round(width * scale)
    padded_hw = _up(size_hw[0]), _up(size_hw[1])
    smallest, whole = region_maps(scene)
    points = sample_clicks(scene, smallest, clicks, rng)
    under = np.stack([whole[points[:, 1], points[:, 0]], smallest[points[:, 1], points[:, 0]]], 1)
    extent = np.array([size_hw[1] / padded_hw[1], size_hw[0] / padded_hw[0]], np.float32)
    places = (points + 0.5).astype(np.float32) / (width, height) * extent
    boxes = region_boxes(scene) * np.tile(extent, 2)
    covers = np.stack([coverage(r.mask, size_hw, padded_hw) for r in scene.regions])
    kinds, fields = _dense(scene, whole, smallest, boxes, size_hw, padded_hw)
    pixels = np.zeros((*padded_hw, 3), np.float32)
    pixels[: size_hw[0], : size_hw[1]] = (_resized(scene.image, size_hw) - mean) / std
    return Lesson(
        pixels=torch.from_numpy(pixels).permute(2, 0, 1).contiguous(),
        clicks=torch.from_numpy(
            np.concatenate([places, np.full_like(places, CLICK_SIDE) * extent], 1)
        ).float(),
        masks=torch.from_numpy(covers[under]),
        boxes=torch.from_numpy(boxes[under]).float(),
        kinds=torch.from_numpy(kinds),
        fields=torch.from_numpy(fields),
    )


def sample_clicks(
    scene: Scene, smallest: NDArray[np.int64], count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Pixels (count, 2), x and y: evenly over the kinds of parts, then of wholes, some anywhere."""
    parts = [i for i, r in enumerate(scene.regions) if r.role == "part"]
    wholes = [i for i, r in enumerate(scene.regions) if r.role != "part"]
    pixels: dict[int, NDArray[np.int64]] = {}
    found = []
    for _ in range(count):
        if rng.random() < ANYWHERE:
            height, width = smallest.shape
            found.append((int(rng.integers(width)), int(rng.integers(height))))
            continue
        among = parts if parts and rng.random() < ON_PART else wholes
        region = int(rng.choice(among, p=_even(scene, among)))
        if region not in pixels:
            pixels[region] = np.argwhere(scene.regions[region].mask)
        y, x = pixels[region][rng.integers(len(pixels[region]))]
        found.append((int(x), int(y)))
    return np.array(found, np.int64)


def _even(scene: Scene, among: list[int]) -> NDArray[np.float64]:
    """Chances by which a kind that is there n times is drawn as √n; stuff, which is large, half as often."""
    kinds = Counter(scene.regions[i].kind for i in among)
    regions = [scene.regions[i] for i in among]
    chances: NDArray[np.float64] = np.array(
        [(0.5 if r.role == "stuff" else 1.0) / kinds[r.kind] ** 0.5 for r in regions]
    )
    chances /= chances.sum()
    return chances


def region_boxes(scene: Scene) -> NDArray[np.float32]:
    """(R, 4) cx, cy, w, h of each region, relative to the picture."""
    height, width = scene.image.shape[:2]
    edges = np.array([box_edges(r.mask) for r in scene.regions], np.float32)
    edges /= np.array([width, height, width, height], np.float32)
    return np.concatenate([(edges[:, :2] + edges[:, 2:]) / 2, edges[:, 2:] - edges[:, :2]], 1)


def coverage(
    mask: NDArray[np.bool_], size_hw: tuple[int, int], padded_hw: tuple[int, int]
) -> NDArray[np.float32]:
    """(H, W) bool → share of each cell of the padded picture's grid that is inside, float32."""
    padded = np.zeros(padded_hw, np.float32)
    padded[: size_hw[0], : size_hw[1]] = _resized(mask.astype(np.float32), size_hw)
    cells = padded_hw[1] // MASK_STRIDE, padded_hw[0] // MASK_STRIDE
    return np.asarray(cv2.resize(padded, cells, interpolation=cv2.INTER_AREA), np.float32)


def _dense(
    scene: Scene,
    whole: NDArray[np.int64],
    smallest: NDArray[np.int64],
    boxes: NDArray[np.float32],
    size_hw: tuple[int, int],
    padded_hw: tuple[int, int],
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The lesson's ``kinds`` and ``fields``, read at the middle of each cell."""
    height, width = scene.image.shape[:2]
    middles = [np.arange(MASK_STRIDE // 2, n, MASK_STRIDE) for n in size_hw]
    rows, columns = middles[0] * height // size_hw[0], middles[1] * width // size_hw[1]
    at = np.ix_(rows, columns)
    cells_hw = padded_hw[0] // MASK_STRIDE, padded_hw[1] // MASK_STRIDE
    kinds = np.full(cells_hw, -1, np.int64)
    fields = np.zeros((8, *cells_hw), np.float32)
    names = np.array([KIND_INDEX[r.kind] for r in scene.regions])
    kinds[: len(rows), : len(columns)] = names[smallest[at]]
    both = np.concatenate([boxes[whole[at]], boxes[smallest[at]]], -1)
    fields[:, : len(rows), : len(columns)] = both.transpose(2, 0, 1)
    return kinds, fields


def _resized(picture: NDArray[np.generic], size_hw: tuple[int, int]) -> NDArray[np.float32]:
    if picture.shape[:2] == size_hw:
        return picture.astype(np.float32)
    smooth = cv2.INTER_LINEAR if picture.ndim == 2 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size_hw[::-1], interpolation=smooth), np.float32)


def _up(side_px: int, multiple: int = 32) -> int:
    return -(-side_px // multiple) * multiple
