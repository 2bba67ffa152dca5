"""Drawn scenes to evaluate on: which of their regions count, and which names are right."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np

from ssa.masks.run_lengths import box_of
from ssa.pictures.crops import scaled_box
from ssa.types import BoxXYXY
from toyworld.kinds import KINDS
from toyworld.scenes import Region, Scene, draw_scene
from toyworld.seeds import EVALUATION_SCENES, evaluation_seed

LEAST_OBJECT_PX, LEAST_PART_PX, LEAST_VISIBLE = 150, 60, 0.5
# Evaluations with different seeds share no scene up to this many.
SCENES_PER_SEED = 100_000


def scenes(
    count: int, seed: int, size_px: int = 256
) -> Iterator[tuple[Scene, np.random.Generator]]:
    """``count`` unseen scenes, square ones and wider ones, each with its own source of chance.

    They are ``size_px`` wide; at another size they are the same scenes.
    """
    for index in range(count):
        number = seed * SCENES_PER_SEED + index
        height = size_px * 3 // 4 if index % 6 == 5 else size_px
        rng = np.random.default_rng([71, number])
        yield draw_scene(evaluation_seed(number), height, size_px), rng


def counts(region: Region, role: str) -> bool:
    """Whether a region is large and visible enough to be asked for."""
    least = LEAST_OBJECT_PX if role == "object" else LEAST_PART_PX
    visible = region.visible >= LEAST_VISIBLE
    return region.role == role and visible and int(region.mask.sum()) > least


def right_names(scene: Scene, index: int) -> set[str]:
    """The names that count as right: the kind, its synonyms, and the kind with its colour."""
    region = scene.regions[index]
    names = {region.kind, *KINDS[region.kind].synonyms}
    return names if region.colour is None else names | {f"{region.colour} {region.kind}"}


def box(region: Region, scale: float) -> BoxXYXY:
    """The region's box in the engine's manner, scaled."""
    return scaled_box(box_of(region.mask), scale, *region.mask.shape)


def scene_seed(text: str) -> int:
    """A seed of scenes, for argparse: there are so many, each with scenes of its own."""
    value = int(text)
    most = EVALUATION_SCENES // SCENES_PER_SEED - 1
    if not 0 <= value <= most:
        raise argparse.ArgumentTypeError(f"expected 0 to {most}, got {value}")
    return value
