"""Named colours of the drawn world, and the lighter and darker tones of them."""

import random
from typing import Final

Colour = tuple[int, int, int]
"""An RGB colour, each channel 0 to 255."""

PALETTE: Final[dict[str, tuple[Colour, ...]]] = {
    "red": ((214, 54, 52), (200, 44, 58)),
    "orange": ((243, 138, 44), (238, 124, 52)),
    "yellow": ((250, 210, 66), (246, 200, 52)),
    "green": ((62, 158, 92), (74, 168, 80)),
    "blue": ((52, 112, 208), (60, 128, 214)),
    "purple": ((132, 80, 182), (118, 74, 172)),
    "pink": ((244, 140, 178), (240, 128, 168)),
    "brown": ((142, 92, 58), (128, 82, 54)),
    "white": ((246, 245, 240), (240, 242, 246)),
    "black": ((50, 50, 58), (44, 46, 54)),
    "gray": ((144, 150, 158), (134, 140, 148)),
}
"""Each name's base tones; an instance is jittered a little around one of them."""

_JITTER: Final = 9
_SUNLIGHT: Final[Colour] = (255, 250, 232)
_SHADE: Final[Colour] = (38, 32, 66)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return the RGB colour a `share` (0 to 1) of the way from `first` to `second`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def light(colour: Colour, share: float) -> Colour:
    """Return `colour` moved by `share` towards warm sunlight."""
    return mix(colour, _SUNLIGHT, share)


def dark(colour: Colour, share: float) -> Colour:
    """Return `colour` moved by `share` towards a cool shade, which looks softer than black."""
    return mix(colour, _SHADE, share)


def instance(name: str, rng: random.Random) -> Colour:
    """Return one RGB colour that an eye would call `name`."""
    base = rng.choice(PALETTE[name])
    # Channels of a grey must move together, or white would turn greenish or pinkish.
    common = rng.randint(-_JITTER, _JITTER) // 2
    own = 1 if name in ("white", "gray", "black") else _JITTER
    red, green, blue = (
        min(255, max(0, channel + common + rng.randint(-own, own))) for channel in base
    )
    return red, green, blue
