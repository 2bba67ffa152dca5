"""Gentle textures as cached tiles of brightness differences, the same at every resolution."""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Tile = NDArray[np.uint8]
"""(height, width, 3) brightness differences around 128."""

WIDTH: Final = 512
HEIGHT: Final = 288
"""A tile's size in units: wider than a scene, so that a random piece of it can be used."""

_Field = NDArray[np.float32]


def _noise(rng: np.random.Generator, scale: float, period: tuple[float, float]) -> _Field:
    """Return (HEIGHT, WIDTH) units of smooth noise, about -1 to 1, with the given x, y period."""
    rows, columns = int(HEIGHT / period[1]) + 3, int(WIDTH / period[0]) + 3
    grid = rng.uniform(-1.0, 1.0, (rows, columns)).astype(np.float32)
    size = (round(WIDTH * scale), round(HEIGHT * scale))
    return np.asarray(cv2.resize(grid, size, interpolation=cv2.INTER_CUBIC), np.float32)


def _line(
    field: _Field, scale: float, path: list[tuple[float, float]], width: float, by: float
) -> None:
    """Draw a soft line of brightness `by` along `path` (units) into `field`."""
    fixed = np.round(np.array(path) * scale * 16).astype(np.int32)
    thickness = max(1, round(width * scale))
    cv2.polylines(field, [fixed], False, by, thickness, cv2.LINE_8, shift=4)


def _soften(field: _Field, sigma: float) -> _Field:
    return np.asarray(cv2.GaussianBlur(field, (0, 0), sigma), np.float32)


def _grain(rng: np.random.Generator, scale: float) -> _Field:
    return 7 * _noise(rng, scale, (11, 11)) + 5 * _noise(rng, scale, (2.6, 2.6))


def _sky(rng: np.random.Generator, scale: float) -> _Field:
    return 5 * _noise(rng, scale, (120, 16)) + 2 * _noise(rng, scale, (40, 7))


def _grass(rng: np.random.Generator, scale: float) -> _Field:
    field = 9 * _noise(rng, scale, (46, 20)) + 3 * _noise(rng, scale, (5, 4))
    for depth in np.sort(rng.uniform(0.0, 1.0, 2300)):
        x, y = rng.uniform(0, WIDTH), depth * HEIGHT
        # Blades grow towards the bottom of the picture, which reads as nearness.
        tall = 2.2 + 8.0 * depth
        lean = rng.normal(0.0, 0.28) * tall
        path = [(x, y), (x + 0.35 * lean, y - 0.6 * tall), (x + lean, y - tall)]
        _line(field, scale, path, 0.6 + 0.7 * depth, float(rng.choice([-15, -11, 10, 15, 20])))
    return _soften(field, 0.33 * scale)


def _sand(rng: np.random.Generator, scale: float) -> _Field:
    field = 5 * _noise(rng, scale, (60, 18)) + 6 * _noise(rng, scale, (1.5, 1.5))
    for depth in np.linspace(0.02, 1.0, 17):
        path = [
            (x, depth * HEIGHT + 3 * math.sin(x / 17 + 9 * depth) + 2 * math.sin(x / 7 + depth))
            for x in np.arange(-8.0, WIDTH + 8, 4)
        ]
        _line(field, scale, path, 0.8 + 1.6 * depth, 7.0)
    return _soften(field, 0.4 * scale)


def _waves(rng: np.random.Generator, scale: float) -> _Field:
    field = 6 * _noise(rng, scale, (90, 9)) + 4 * _noise(rng, scale, (26, 4))
    for depth in np.sort(rng.uniform(0.0, 1.0, 430)):
        x, y = rng.uniform(0, WIDTH), depth * HEIGHT
        long, high = 5 + 20 * depth * rng.uniform(0.6, 1.4), 0.5 + 2.2 * depth
        path = [(x + long * t, y - high * math.sin(math.pi * t)) for t in np.linspace(0, 1, 9)]
        _line(field, scale, path, 0.7 + 1.2 * depth, float(rng.choice([-12, 18, 26])))
    return _soften(field, 0.4 * scale)


def _asphalt(rng: np.random.Generator, scale: float) -> _Field:
    return (
        4 * _noise(rng, scale, (60, 14))
        + 4 * _noise(rng, scale, (1.2, 1.2))
        + 2 * _noise(rng, scale, (2.4, 2.4))
    )


def _cliff(rng: np.random.Generator, scale: float) -> _Field:
    return 7 * _noise(rng, scale, (12, 30)) + 4 * _noise(rng, scale, (5, 8))


_MAKERS: Final[dict[str, Callable[[np.random.Generator, float], _Field]]] = {
    "grain": _grain,
    "sky": _sky,
    "grass": _grass,
    "sand": _sand,
    "sea": _waves,
    "road": _asphalt,
    "mountain": _cliff,
}


@lru_cache(maxsize=24)
def tile(name: str, scale: float) -> Tile:
    """Return the texture `name` at `scale` pixels a unit, always from the same fixed seed."""
    rng = np.random.default_rng(sorted(_MAKERS).index(name))
    field = _MAKERS[name](rng, scale)
    grey = np.clip(np.round(field + 128), 0, 255).astype(np.uint8)
    return np.repeat(grey[:, :, None], 3, axis=2)
