"""Where training scenes come from: drawn as they are needed, each seen in a few steps."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from toyworld.scenes import Scene, draw_scene
from toyworld.seeds import training_seed

WIDTH = 256
# Most pictures are square; some are wider than high.
MIXED = (256, 256, 256, 256, 256, 192)


class ScenePool:
    """A window over the endless row of training scenes that moves a few scenes a step.

    What a step sees depends on its number alone; a scene is drawn once and seen in several steps.
    ``heights`` (pixels, for a width of 256) are taken in turn.
    """

    def __init__(
        self, first: int, fresh: int, window: int, heights: tuple[int, ...] = MIXED
    ) -> None:
        self.first, self.fresh, self.window, self.heights = first, fresh, window, heights
        self._drawn: OrderedDict[int, Scene] = OrderedDict()

    def scene(self, step: int, rng: np.random.Generator) -> Scene:
        """One of the scenes in the step's window, mirrored half the time."""
        index = self.first + step * self.fresh + int(rng.integers(self.window))
        scene = self._draw(index)
        return mirrored(scene) if rng.random() < 0.5 else scene

    def _draw(self, index: int) -> Scene:
        if index not in self._drawn:
            height = self.heights[index % len(self.heights)]
            self._drawn[index] = draw_scene(training_seed(index), height, WIDTH)
            if len(self._drawn) > self.window * 2:
                self._drawn.popitem(last=False)
        return self._drawn[index]


def mirrored(scene: Scene) -> Scene:
    """The scene as in a mirror."""
    regions = tuple(replace(r, mask=np.ascontiguousarray(r.mask[:, ::-1])) for r in scene.regions)
    return Scene(
        np.ascontiguousarray(scene.image[:, ::-1]),
        regions,
        np.ascontiguousarray(scene.coco[:, ::-1]),
        np.ascontiguousarray(scene.ade20k[:, ::-1]),
    )


def resized(scene: Scene, height: int, width: int) -> Scene:
    """The scene squashed or stretched to a size in pixels; itself, where that is its size."""
    if scene.image.shape[:2] == (height, width):
        return scene

    def fit(image: NDArray[np.uint8], how: int) -> NDArray[np.uint8]:
        return np.asarray(cv2.resize(image, (width, height), interpolation=how), np.uint8)

    nearest = cv2.INTER_NEAREST
    masks = [fit(region.mask.astype(np.uint8), nearest) > 0 for region in scene.regions]
    regions = zip(scene.regions, masks, strict=True)
    return Scene(
        fit(scene.image, cv2.INTER_LINEAR),
        tuple(replace(region, mask=mask) for region, mask in regions),
        fit(scene.coco, nearest),
        fit(scene.ade20k, nearest),
    )
