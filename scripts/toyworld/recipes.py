"""The types of scene: which stuff is painted, and in which bands the objects stand."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from toyworld.stuff import Backdrop

Weights = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Band:
    """A strip of the picture whose objects stand between `top` and `bottom` (units).

    `fewest` to `most` objects are drawn from `choices`; bands come far to near.
    """

    ground: str
    top: float
    bottom: float
    fewest: int
    most: int
    choices: Weights


_SKY: Final[Weights] = (
    ("cloud", 3.0),
    ("sun", 3.0),
    ("bird", 1.0),
    ("airplane", 2.5),
    ("kite", 0.5),
    ("balloon", 2.0),
)


def _aloft(horizon: float, most: int, choices: Weights) -> Band:
    """Return the band of what flies: feet above the horizon."""
    return Band("sky", 30.0, 0.92 * horizon, 1, most, choices)


def street(scene: Backdrop) -> tuple[Band, ...]:
    """Houses and trees behind a road, people and street things before it."""
    rng, high = scene.rng, scene.canvas.height
    horizon = high * rng.uniform(0.4, 0.48)
    top = high * rng.uniform(0.56, 0.61)
    bottom = high * rng.uniform(0.8, 0.85)
    scene.sky(horizon)
    if rng.random() < 0.3:
        scene.mountains(horizon, 0.3 * high)
    scene.grass(horizon, 4, haze=0.3)
    scene.road(top, bottom)
    scene.grass(bottom, 0, fresh=rng.random())
    back: Weights = (("house", 5.5), ("tree", 2.6), ("fence", 0.8))
    lane: Weights = (("car", 4.0), ("bus", 4.0), ("truck", 4.0))
    front: Weights = (
        ("person", 2.2),
        ("stop sign", 6.0),
        ("bench", 2.2),
        ("dog", 2.0),
        ("cat", 3.5),
        ("flower", 1.0),
        ("bird", 0.5),
    )
    return (
        _aloft(horizon, 1, _SKY),
        Band("grass", horizon + 0.5 * (top - horizon), top - 2, 1, 2, back),
        Band("road", top + 0.42 * (bottom - top), bottom - 6, 1, 2, lane),
        Band("grass", bottom + 6, high - 3, 1, 2, front),
    )


def meadow(scene: Backdrop) -> tuple[Band, ...]:
    """Rolling grass with animals, trees and flowers; sometimes a winding road."""
    rng, high = scene.rng, scene.canvas.height
    horizon = high * rng.uniform(0.4, 0.52)
    scene.sky(horizon)
    if rng.random() < 0.25:
        scene.mountains(horizon, 0.3 * high)
    scene.grass(horizon - 4, 7, haze=0.45)
    scene.grass(horizon + 14, 6, haze=0.12, fresh=rng.random())
    if rng.random() < 0.3:
        scene.path(horizon + 16)
    back: Weights = (("tree", 3.0), ("house", 1.2), ("fence", 4.0), ("tent", 2.0))
    front: Weights = (
        ("sheep", 6.0),
        ("dog", 2.5),
        ("cat", 2.5),
        ("flower", 4.5),
        ("ball", 1.5),
        ("rock", 1.5),
        ("bench", 2.5),
        ("person", 1.0),
        ("bird", 0.7),
    )
    return (
        _aloft(horizon, 2, (("kite", 2.5), ("sun", 1.5), ("cloud", 1.5), ("balloon", 1.5))),
        Band("grass", horizon + 16, horizon + 0.4 * (high - horizon), 1, 2, back),
        Band("grass", horizon + 0.55 * (high - horizon), high - 4, 2, 3, front),
    )


def beach(scene: Backdrop) -> tuple[Band, ...]:
    """Sea with boats before a sandy shore."""
    rng, high = scene.rng, scene.canvas.height
    horizon = high * rng.uniform(0.34, 0.44)
    shore = high * rng.uniform(0.6, 0.68)
    scene.sky(horizon)
    if rng.random() < 0.2:
        scene.mountains(horizon, 0.24 * high)
    scene.sea(horizon)
    scene.shore(shore, 3.5)
    front: Weights = (
        ("umbrella", 6.0),
        ("ball", 4.0),
        ("person", 1.6),
        ("bird", 1.5),
        ("rock", 1.5),
        ("dog", 1.0),
    )
    boats = 2 if rng.random() < 0.3 else 1
    sky: Weights = (("bird", 1.0), ("kite", 2.5), ("sun", 1.2), ("cloud", 1.2), ("airplane", 2.5))
    return (
        _aloft(horizon, 2, sky),
        Band("sea", horizon + 0.45 * (shore - horizon), shore - 10, 1, boats, (("boat", 1.0),)),
        Band("sand", shore + 14, high - 4, 2, 3, front),
    )


def camp(scene: Backdrop) -> tuple[Band, ...]:
    """A mountain lake with a camp on its near bank."""
    rng, high = scene.rng, scene.canvas.height
    horizon = high * rng.uniform(0.42, 0.5)
    bank = high * rng.uniform(0.6, 0.66)
    scene.sky(horizon)
    scene.mountains(horizon, high * rng.uniform(0.28, 0.38))
    scene.sea(horizon)
    scene.grass(bank, 5, fresh=rng.random())
    front: Weights = (
        ("tent", 5.0),
        ("rock", 4.0),
        ("tree", 1.5),
        ("person", 1.5),
        ("dog", 1.0),
        ("bench", 2.0),
        ("flower", 1.0),
        ("cat", 0.7),
    )
    return (
        _aloft(horizon, 1, (("cloud", 1.5), ("sun", 1.0), ("bird", 1.0), ("balloon", 2.0))),
        Band("sea", horizon + 0.6 * (bank - horizon), bank - 8, 0, 1, (("boat", 1.0),)),
        Band("grass", bank + 14, high - 4, 2, 3, front),
    )


def hills(scene: Backdrop) -> tuple[Band, ...]:
    """A wide sky with balloons, airplanes and birds over low hills."""
    rng, high = scene.rng, scene.canvas.height
    horizon = high * rng.uniform(0.68, 0.76)
    scene.sky(horizon)
    if rng.random() < 0.35:
        scene.mountains(horizon, 0.24 * high)
    scene.grass(horizon, 7, haze=0.45)
    scene.grass(horizon + 18, 6, haze=0.1, fresh=rng.random())
    sky: Weights = (
        ("balloon", 5.0),
        ("airplane", 5.0),
        ("cloud", 2.0),
        ("bird", 3.0),
        ("kite", 3.0),
        ("sun", 2.0),
    )
    front: Weights = (
        ("sheep", 2.0),
        ("tree", 1.0),
        ("person", 1.0),
        ("ball", 1.0),
        ("flower", 1.0),
    )
    return (
        Band("sky", 40.0, 0.95 * horizon, 3, 4, sky),
        Band("grass", horizon + 0.5 * (high - horizon), high - 4, 1, 2, front),
    )


Recipe = Callable[[Backdrop], tuple[Band, ...]]

RECIPES: Final[tuple[tuple[str, Recipe, float], ...]] = (
    ("street", street, 3.6),
    ("meadow", meadow, 1.8),
    ("beach", beach, 1.7),
    ("camp", camp, 1.4),
    ("hills", hills, 1.4),
)
"""Name, recipe and weight of each type of scene."""


def choose_recipe(rng: random.Random) -> tuple[str, Recipe]:
    """Return one type of scene's name and recipe, by weight."""
    name, recipe, _ = rng.choices(RECIPES, [weight for _, _, weight in RECIPES])[0]
    return name, recipe
