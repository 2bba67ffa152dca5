"""The lights of the drawn world: sky colours, and a global tint laid over the finished picture."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from toyworld.colours import Colour


@dataclass(frozen=True, slots=True)
class Light:
    """A time of day or weather: the sky from top to horizon, and the tint (RGB) of all things."""

    name: str
    sky: tuple[Colour, Colour, Colour]
    sky_colour: str
    tint: tuple[float, float, float]
    weight: float


LIGHTS: Final[tuple[Light, ...]] = (
    Light("day", ((74, 152, 226), (134, 196, 240), (214, 236, 246)), "blue", (1.0, 1.0, 1.0), 5),
    Light(
        "sunset",
        ((112, 108, 172), (240, 152, 124), (254, 214, 146)),
        "orange",
        (1.03, 0.95, 0.87),
        2,
    ),
    Light("dusk", ((56, 58, 126), (118, 92, 160), (222, 154, 172)), "purple", (0.95, 0.9, 1.0), 2),
    Light(
        "overcast",
        ((136, 152, 168), (172, 186, 198), (208, 216, 222)),
        "gray",
        (0.94, 0.96, 0.98),
        2,
    ),
)


@lru_cache(maxsize=16)
def _tint(name: str, height: int, width: int) -> NDArray[np.uint8]:
    """Return (H, W, 3) factors of 1/200: the light's tint, brighter upper left, soft corners."""
    tint = next(light.tint for light in LIGHTS if light.name == name)
    down = np.linspace(0.0, 1.0, height, dtype=np.float32)[:, None]
    across = np.linspace(0.0, 1.0, width, dtype=np.float32)[None, :]
    sun = 1.035 - 0.05 * across - 0.03 * down
    corner = 1.0 - 0.16 * np.clip((across - 0.5) ** 2 + (down - 0.5) ** 2 - 0.14, 0.0, 1.0)
    factors = (sun * corner)[:, :, None] * np.array(tint, np.float32) * 200
    return np.clip(np.round(factors), 0, 255).astype(np.uint8)


def illuminate(picture: NDArray[np.uint8], light: Light) -> NDArray[np.uint8]:
    """Return the (H, W, 3) RGB picture in the given light."""
    factors = _tint(light.name, picture.shape[0], picture.shape[1])
    return np.asarray(cv2.multiply(picture, factors, scale=1 / 200), np.uint8)
