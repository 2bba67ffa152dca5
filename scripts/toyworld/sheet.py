"""Pictures of scenes for people: contact sheets, with each scene's truth beside it."""

import numpy as np
from numpy.typing import NDArray

from toyworld.scenes import Scene, draw_scene


def truth_view(scene: Scene) -> NDArray[np.uint8]:
    """Return (H, W, 3) RGB with a colour for every region, parts over their objects."""
    view = np.zeros_like(scene.image)
    for number, region in enumerate(scene.regions):
        # Steps of the golden ratio give neighbouring numbers colours that are far apart.
        hue = (number * 0.618034) % 1.0
        phase = np.array([0.0, 1 / 3, 2 / 3]) + hue
        strength = {"stuff": 55, "object": 100, "part": 80}[region.role]
        view[region.mask] = (150 + strength * np.cos(2 * np.pi * phase)).astype(np.uint8)
    return view


def contact_sheet(
    seeds: list[int], height: int, width: int, columns: int, truth: bool
) -> NDArray[np.uint8]:
    """Return the scenes of `seeds` in rows of `columns`, RGB, each with its truth if asked."""
    tiles = []
    for seed in seeds:
        scene = draw_scene(seed, height, width)
        views = [scene.image, truth_view(scene)] if truth else [scene.image]
        tiles.append(np.concatenate(views, axis=1))
    while len(tiles) % columns:
        tiles.append(np.full_like(tiles[0], 255))
    rows = [
        np.concatenate(tiles[at : at + columns], axis=1) for at in range(0, len(tiles), columns)
    ]
    return np.concatenate(rows, axis=0)
