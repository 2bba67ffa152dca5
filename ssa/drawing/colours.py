"""Colours for labels: one a label, the same in every picture and on every machine."""

from __future__ import annotations

import hashlib
import math
from functools import cache

RGB = tuple[int, int, int]

GREY: RGB = (128, 128, 128)
"""For what has no label to be coloured by."""

HUES = 30
# OKLCH lightness and chroma: three rings of colours that the eye tells apart at one hue.
RINGS = ((0.68, 0.19), (0.82, 0.15), (0.56, 0.18))

SLOTS = HUES * len(RINGS)

# Two colours nearer than this in OKLab look alike where they meet as tints: a ninth of the hues apart.
ALIKE = 0.09


def label_colour(label: str) -> RGB:
    """The label's RGB colour, picked by its hash from 90: two labels in some ninety pairs share one."""
    # Not hash(): Python salts it anew in every run.
    digest = hashlib.sha256(label.encode(errors="surrogatepass")).digest()
    return slot_colour(int.from_bytes(digest[:8], "big") % SLOTS)


def hexadecimal(colour: RGB) -> str:
    """The colour as ``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


@cache
def are_alike(one: RGB, other: RGB) -> bool:
    """Whether the eye would take one for the other: by their distance in OKLab."""
    return math.dist(_oklab(one), _oklab(other)) < ALIKE


@cache
def slot_colour(slot: int) -> RGB:
    """One of the ``SLOTS`` colours."""
    # Rings are turned against each other, so that no two of all the colours share a hue.
    ring, step = slot % len(RINGS), slot // len(RINGS)
    lightness, chroma = RINGS[ring]
    return _oklch_to_rgb(lightness, chroma, (step + ring / len(RINGS)) / HUES)


# Both ways between sRGB and OKLab, with its matrices: B. Ottosson, "A perceptual color space for image
# processing", 2020.


def _oklch_to_rgb(lightness: float, chroma: float, turn: float) -> RGB:
    """OKLCH (hue in turns) → sRGB, clipped to the gamut."""
    a, b = chroma * math.cos(math.tau * turn), chroma * math.sin(math.tau * turn)
    cone_roots = (
        lightness + 0.3963377774 * a + 0.2158037573 * b,
        lightness - 0.1055613458 * a - 0.0638541728 * b,
        lightness - 0.0894841775 * a - 1.2914855480 * b,
    )
    l, m, s = (root**3 for root in cone_roots)  # noqa: E741 - the cones' own names
    linear = (
        4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
        -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
        -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s,
    )
    red, green, blue = (round(255 * _gamma(min(max(value, 0.0), 1.0))) for value in linear)
    return red, green, blue


def _oklab(colour: RGB) -> tuple[float, float, float]:
    red, green, blue = (_linear(value / 255) for value in colour)
    l = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)  # noqa: E741
    m = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    s = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return (
        0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
        1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
        0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s,
    )


def _gamma(linear: float) -> float:
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
