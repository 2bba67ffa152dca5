"""Scenes of the drawn world: a picture, its regions, and two label maps, all from a seed."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from toyworld.catalogue import CATALOGUE
from toyworld.colours import instance
from toyworld.compose import Spot, compose
from toyworld.draw import Canvas, Entry
from toyworld.kinds import class_id, colours_for
from toyworld.light import LIGHTS, Light, illuminate
from toyworld.pen import Pen
from toyworld.recipes import Band, choose_recipe
from toyworld.stuff import Backdrop

UNITS: Final = 256.0
"""The picture's longest side in units."""

Arrangement = Callable[[random.Random, Sequence[Band], float, float], list[Spot]]
"""Where a scene's things go, farthest first, given its bands and its width and height in units."""

_LEAST_PART: Final = 0.2
"""A part of which less than this share can be seen is left to its whole."""


@dataclass(frozen=True, slots=True)
class Region:
    """One named region of a scene.

    `mask` is (H, W) bool, the visible pixels; an object's mask includes its parts. `visible` is
    the visible share, 0 to 1, of what lies inside the picture. `parent` is, for a part, the
    number of its object in `Scene.regions`. `ground` is the kind of stuff that it is in or on.
    """

    kind: str
    role: str
    colour: str | None
    mask: NDArray[np.bool_]
    visible: float
    parent: int | None
    ground: str | None


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture (H, W, 3) uint8 RGB with its regions, and (H, W) uint8 maps of class ids."""

    image: NDArray[np.uint8]
    regions: tuple[Region, ...]
    coco: NDArray[np.uint8]
    ade20k: NDArray[np.uint8]


def draw_scene(
    seed: int,
    height: int = 256,
    width: int = 256,
    supersample: int = 2,
    arrange: Arrangement = compose,
) -> Scene:
    """Draw the scene of `seed`; another resolution of one aspect gives the same picture."""
    rng = random.Random(seed)
    canvas = _canvas(height, width, supersample)
    canvas.drift = rng.random()
    light = rng.choices(LIGHTS, [light.weight for light in LIGHTS])[0]
    _, recipe = choose_recipe(rng)
    bands = recipe(Backdrop(canvas, rng, light, {}))
    for spot in arrange(rng, bands, canvas.width, canvas.height):
        _draw(canvas, rng, spot, light)
    small = cv2.resize(canvas.picture, (width, height), interpolation=cv2.INTER_AREA)
    truth = _majority(canvas.truth, supersample)
    return _scene(illuminate(np.asarray(small, np.uint8), light), truth, canvas)


def _canvas(height: int, width: int, supersample: int) -> Canvas:
    """Return an empty canvas on the supersampled grid."""
    rows, columns = height * supersample, width * supersample
    return Canvas(
        picture=np.zeros((rows, columns, 3), np.uint8),
        truth=np.zeros((rows, columns), np.uint8),
        scale=max(rows, columns) / UNITS,
    )


def _draw(canvas: Canvas, rng: random.Random, spot: Spot, light: Light) -> None:
    """Draw one object, and note its area and its parts' before anything comes to cover them."""
    colour = rng.choice(colours_for(spot.kind, spot.ground, light.name))
    # Every thing has its own source of chance, so that how it is drawn moves no other thing.
    own = random.Random(rng.getrandbits(32))
    number = canvas.begin(spot.kind, colour, spot.ground)
    pen = Pen(
        canvas=canvas,
        rng=own,
        x=spot.x,
        y=spot.y,
        size=spot.size,
        flip=spot.flip,
        colour=instance(colour, own),
        colour_name=colour,
        ground=spot.ground,
        light=light.name,
    )
    CATALOGUE[spot.kind].draw(pen)
    areas = _areas(_around(canvas, spot), len(canvas.entries))
    for entry, area in list(zip(canvas.entries, areas, strict=True))[number:]:
        entry.area = int(area)
    canvas.entries[number].area = int(areas[number:].sum())


def _around(canvas: Canvas, spot: Spot) -> NDArray[np.uint8]:
    """Return the piece of the truth in which all of the spot's thing must lie."""
    left, top, right, bottom = spot.frame
    wide, tall = 0.2 * (right - left), 0.2 * (bottom - top)
    x0, x1 = max(0, int((left - wide) * canvas.scale)), int((right + wide) * canvas.scale)
    y0, y1 = max(0, int((top - tall) * canvas.scale)), int((bottom + tall) * canvas.scale)
    return canvas.truth[y0:y1, x0:x1]


def _areas(truth: NDArray[np.uint8], count: int) -> NDArray[np.float32]:
    """Return each region's pixels, (count,); OpenCV's histogram is much faster than bincount."""
    counts = cv2.calcHist([truth], [0], None, [256], [0, 256])
    return np.asarray(counts, np.float32).reshape(-1)[:count]


def _majority(truth: NDArray[np.uint8], supersample: int) -> NDArray[np.uint8]:
    """Return the truth on the final grid: for 2 by 2 samples the commonest, else the middle."""
    if supersample == 2:
        a, b, c, d = truth[::2, ::2], truth[::2, 1::2], truth[1::2, ::2], truth[1::2, 1::2]
        first = (a == b) | (a == c) | (a == d)
        rest = np.where(c == d, c, np.where((b == c) | (b == d), b, a))
        return np.where(first, a, rest)
    middle = supersample // 2
    return np.ascontiguousarray(truth[middle::supersample, middle::supersample])


def _scene(image: NDArray[np.uint8], truth: NDArray[np.uint8], canvas: Canvas) -> Scene:
    """Return the finished scene from the picture and the truth on the final grid."""
    entries = canvas.entries
    small, large = _areas(truth, len(entries)), _areas(canvas.truth, len(entries))
    owners = np.array(
        [number if entry.parent is None else entry.parent for number, entry in enumerate(entries)],
        np.uint8,
    )
    whole = owners[truth]
    seen, shown = np.bincount(owners, small), np.bincount(owners, large)
    regions: list[Region] = []
    numbers: dict[int, int] = {}
    for number, entry in enumerate(entries):
        is_part = entry.parent is not None
        pixels = small[number] if is_part else seen[number]
        visible = _visible(entry, float(large[number] if is_part else shown[number]))
        if not pixels or (is_part and visible < _LEAST_PART):
            continue
        numbers[number] = len(regions)
        mask = (truth if is_part else whole) == number
        parent = None if entry.parent is None else numbers[entry.parent]
        regions.append(
            Region(entry.kind, entry.role, entry.colour, mask, visible, parent, entry.ground)
        )
    kinds = [entries[owner].kind for owner in owners]
    coco = np.array([class_id(kind, "coco") for kind in kinds], np.uint8)[truth]
    ade20k = np.array([class_id(kind, "ade20k") for kind in kinds], np.uint8)[truth]
    return Scene(image, tuple(regions), coco, ade20k)


def _visible(entry: Entry, pixels: float) -> float:
    """Return the visible share of a region; stuff, being the background, counts as all seen."""
    if entry.role == "stuff":
        return 1.0
    return min(1.0, pixels / max(1, entry.area))
