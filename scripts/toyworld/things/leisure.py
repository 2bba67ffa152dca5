"""Balls, kites, umbrellas, hot-air balloons and stop signs."""

import math
from typing import Final

from toyworld.colours import Colour, dark, light
from toyworld.paint import Fade, Glow
from toyworld.pen import Pen
from toyworld.shapes import oval, points, rounded, smooth, stroke

_CREAM: Final[Colour] = (250, 245, 232)

_LETTERS: Final[dict[str, tuple[tuple[tuple[float, float], ...], ...]]] = {
    "S": (
        ((1.0, 0.18), (0.5, 0.0), (0.02, 0.22), (0.5, 0.5), (0.98, 0.78), (0.5, 1.0), (0.0, 0.82)),
    ),
    "T": (((0.0, 0.0), (1.0, 0.0)), ((0.5, 0.0), (0.5, 1.0))),
    "O": (
        (
            (0.0, 0.5),
            (0.0, 0.28),
            (0.18, 0.06),
            (0.5, 0.0),
            (0.82, 0.06),
            (1.0, 0.28),
            (1.0, 0.72),
            (0.82, 0.94),
            (0.5, 1.0),
            (0.18, 0.94),
            (0.0, 0.72),
            (0.0, 0.5),
        ),
    ),
    "P": (
        ((0.0, 1.0), (0.0, 0.0)),
        ((0.0, 0.0), (0.8, 0.0), (1.0, 0.26), (0.8, 0.52), (0.0, 0.52)),
    ),
}
"""Each letter's strokes in a unit square."""


def ball(pen: Pen) -> None:
    """Draw a beach ball, most of it the colour: 46 by 46."""
    pen.shadow(24, 5)
    colour = pen.colour
    outline = oval(0, -23, 23, 23)
    pen.fill(outline, Glow(light(colour, 0.36), dark(colour, 0.24)))
    stripes = (
        smooth(points((-6, -46), (-19, -34), (-20, -14), (-12, 0), (-13, -16), (-11, -33))),
        smooth(points((-2, -45), (14, -38), (21, -22), (15, -4), (13, -22), (8, -35))),
    )
    for stripe in stripes:
        pen.fill(stripe, _CREAM, 0.85, clip=outline)
    pen.fill(oval(3, -4, 22, 9), dark(colour, 0.7), 0.2, clip=outline)
    pen.fill(oval(-8, -34, 6, 4, -0.6), (255, 255, 255), 0.6, clip=outline)


def kite(pen: Pen) -> None:
    """Draw a diamond kite with a short ribbon: 58 by 84."""
    colour = pen.colour
    ribbon = [(3 * math.sin(step * 1.1), -24 + 3.0 * step) for step in range(9)]
    pen.fill(stroke(ribbon, 5), dark(colour, 0.24))
    for step in (4, 7):
        x, y = ribbon[step]
        bow = points((x - 8, y - 4), (x, y), (x + 8, y - 4), (x + 8, y + 4), (x, y), (x - 8, y + 4))
        pen.fill(bow, light(colour, 0.3))
    top, left, right, foot = (0.0, -84.0), (-29.0, -58.0), (29.0, -58.0), (0.0, -20.0)
    pen.fill(rounded(points(top, right, foot, left), 2), Fade(light(colour, 0.12), colour))
    centre = (0.0, -58.0)
    pen.fill(points(top, centre, left), light(colour, 0.45), 0.8)
    pen.fill(points(centre, right, foot), dark(colour, 0.3), 0.6)
    pen.fill(stroke([left, right], 1.6), dark(colour, 0.6), 0.6)
    pen.fill(stroke([top, foot], 1.6), dark(colour, 0.6), 0.6)


def umbrella(pen: Pen) -> None:
    """Draw a beach umbrella: 88 by 86."""
    pen.shadow(30, 5, dx=4)
    colour = pen.colour
    pen.line(Fade((186, 140, 96), (132, 92, 62)), 6.5, (0, -58), (0, -2))
    knots = [(-44.0, -46.0)]
    for index in range(4):
        x = -44.0 + 22.0 * index
        knots += [(x + 11.0, -51.5), (x + 22.0, -46.0)]
    dome = [(44 * math.cos(a), -46 - 38 * math.sin(a)) for a in _ARC]
    canopy = points(*knots, *dome)
    pen.fill(canopy, Fade(light(colour, 0.28), dark(colour, 0.12)))
    for x0, x1, bow in ((-22.0, -44.0, -30.0), (0.0, 22.0, 16.0)):
        panel = smooth(
            points((0, -85), (bow * 0.75, -72), (x1, -44), ((x0 + x1) / 2, -47), (x0, -44))
        )
        pen.fill(panel, _CREAM, 0.88, clip=canopy)
    pen.fill(
        points((46, -40), (30, -80), (10, -85), (22, -44)), dark(colour, 0.6), 0.22, clip=canopy
    )
    pen.oval(0, -85, 3, 3, dark(colour, 0.2))


_ARC: Final = [math.pi * step / 24 for step in range(1, 24)]


def balloon(pen: Pen) -> None:
    """Draw a hot-air balloon with its basket: 68 by 98."""
    colour = pen.colour
    for x in (-6, 6):
        pen.line((120, 92, 70), 1.8, (1.6 * x, -28), (x, -12))
    envelope = smooth(
        points(
            (0, -98),
            (24, -91),
            (34, -68),
            (26, -46),
            (11, -26),
            (-11, -26),
            (-26, -46),
            (-34, -68),
            (-24, -91),
        )
    )
    pen.fill(envelope, Fade(light(colour, 0.24), dark(colour, 0.22), across=True))
    for bow in (-0.86, 0.0, 0.86):
        gore = smooth(
            points(
                (bow * 6, -98),
                (bow * 27 - 5, -84),
                (bow * 30 - 5.5, -68),
                (bow * 22 - 4, -44),
                (bow * 9 - 2, -25),
                (bow * 9 + 2, -25),
                (bow * 22 + 4, -44),
                (bow * 30 + 5.5, -68),
                (bow * 27 + 5, -84),
            )
        )
        pen.fill(gore, _CREAM, 0.8, clip=envelope)
    pen.fill(oval(24, -58, 16, 40), dark(colour, 0.7), 0.16, clip=envelope)
    pen.fill(oval(-14, -82, 9, 6, -0.6), (255, 255, 255), 0.45, clip=envelope)
    pen.poly(dark(colour, 0.3), (-11, -29), (11, -29), (8, -22), (-8, -22), radius=1.5)
    pen.box(-9.5, -14, 9.5, 0, Fade((190, 138, 84), (132, 88, 54)), 2.5)
    pen.box(-10.5, -15.5, 10.5, -11.5, (110, 74, 50), 1.5)


def stop_sign(pen: Pen) -> None:
    """Draw a stop sign on a thick pole: 44 by 92; never mirrored, for it can be read."""
    pen.shadow(12, 4)
    pen.box(-4, -50, 4, 0, Fade((196, 200, 208), (128, 132, 144), across=True), 1)
    turn = [math.pi * (index + 0.5) / 4 for index in range(8)]
    for radius, paint in (
        (23.8, Fade((236, 236, 236), (206, 208, 212))),
        (21.2, Fade(light(pen.colour, 0.12), dark(pen.colour, 0.1))),
    ):
        outline = points(*[(radius * math.cos(a), -70 + radius * math.sin(a)) for a in turn])
        pen.fill(rounded(outline, 1.5), paint)
    for index, letter in enumerate("STOP"):
        x = -16.0 + 8.5 * index
        for path in _LETTERS[letter]:
            line = [(x + 6.2 * px, -76.0 + 12.0 * py) for px, py in path]
            pen.fill(stroke(line, 2.2), (252, 250, 246))
