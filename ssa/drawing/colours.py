"""Colours for labels: the same for a label on every machine, and apart from each other in one picture."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from functools import cache

RGB = tuple[int, int, int]

GREY: RGB = (128, 128, 128)
"""For what has no label to be coloured by."""

HUES = 18
# OKLCH lightness and chroma: three rings of colours that the eye tells apart at one hue.
RINGS = ((0.68, 0.19), (0.82, 0.15), (0.56, 0.18))

_SLOTS = HUES * len(RINGS)
# Nearly half way round the hues, and prime to the number of slots, so that it reaches all of them.
_STRIDE = 25


def label_colours(labels: Iterable[str]) -> dict[str, RGB]:
    """One RGB colour a label, the same on every machine, and different within one picture.

    A label's hash picks one of 54 colours; where two labels of a picture pick the same, the one later in
    the alphabet moves on to a free one. Past that many labels, colours repeat.
    """
    taken: set[int] = set()
    colours: dict[str, RGB] = {}
    for label in sorted(set(labels)):
        slot = _home_slot(label)
        while slot in taken and len(taken) < _SLOTS:
            slot = (slot + _STRIDE) % _SLOTS
        taken.add(slot)
        colours[label] = _slot_colour(slot)
    return colours


def _home_slot(label: str) -> int:
    # Not hash(): Python salts it anew in every run.
    digest = hashlib.sha256(label.encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") % _SLOTS


@cache
def _slot_colour(slot: int) -> RGB:
    # Rings are turned against each other, so that no two of all the colours share a hue.
    ring, step = slot % len(RINGS), slot // len(RINGS)
    lightness, chroma = RINGS[ring]
    return _oklch_to_rgb(lightness, chroma, (step + ring / len(RINGS)) / HUES)


def _oklch_to_rgb(lightness: float, chroma: float, turn: float) -> RGB:
    """OKLCH (hue in turns) → sRGB, clipped to the gamut. Matrices: B. Ottosson, "Oklab", 2020."""
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


def _gamma(linear: float) -> float:
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055
