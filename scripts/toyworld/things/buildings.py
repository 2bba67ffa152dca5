"""Houses, tents, fences and benches."""

import numpy as np

from toyworld.colours import Colour, dark, instance, light
from toyworld.paint import Fade, Glow
from toyworld.pen import Pen
from toyworld.shapes import box, points, rounded, stroke
from toyworld.things.vehicles import pane

_WOOD: Colour = (156, 108, 70)


def house(pen: Pen) -> None:
    """Draw a house with a door and one or two windows: 120 by 112."""
    pen.shadow(66, 8)
    colour, rng = pen.colour, pen.rng
    chimney = rng.choice((-32.0, 30.0))
    pen.box(chimney - 8, -108, chimney + 8, -60, Fade((190, 104, 84), (140, 74, 64)), 1.5)
    pen.box(chimney - 10, -111, chimney + 10, -104, (122, 70, 62), 1.5)
    walls = box(-51, -64, 51, 0, 1.5)
    pen.fill(walls, Fade(light(colour, 0.24), dark(colour, 0.06)))
    for y in range(-52, -8, 9):
        pen.fill(stroke([(-51, y), (51, y)], 0.9), dark(colour, 0.4), 0.22, clip=walls)
    pen.fill(box(-52, -9, 52, 0), (150, 146, 148), clip=walls)
    _front(pen)
    pen.fill(box(-51, -64, 51, -54), dark(colour, 0.7), 0.3, clip=walls)
    _roof(pen)


def _front(pen: Pen) -> None:
    """Draw the door and the windows, either one wide window or two about a middle door."""
    lit = pen.light in ("dusk", "sunset")
    if pen.rng.random() < 0.5:
        _door(pen, -24)
        _window(pen, 6, 40, lit)
    else:
        _door(pen, 0)
        _window(pen, -45, -18, lit)
        _window(pen, 18, 45, lit)


def _window(pen: Pen, x0: float, x1: float, lit: bool) -> None:
    pen.box(x0 - 2.5, -49.5, x1 + 2.5, -15.5, (250, 246, 236), 1.5)
    pane(pen, [(x0, -47), (x1, -47), (x1, -18), (x0, -18)], 1.0, lit)
    whole = pen.canvas.current
    pen.canvas.current = len(pen.canvas.entries) - 1  # the bars belong to the window
    middle = (x0 + x1) / 2
    pen.box(middle - 1, -47, middle + 1, -18, (250, 246, 236))
    pen.box(x0, -33.5, x1, -31.5, (250, 246, 236))
    pen.canvas.current = whole
    pen.box(x0 - 4.5, -18, x1 + 4.5, -13.5, Fade((236, 230, 220), (190, 184, 178)), 1.2)


def _door(pen: Pen, x: float) -> None:
    names = [name for name in ("brown", "red", "blue", "green", "white") if name != pen.colour_name]
    pen.box(x - 15, -47, x + 15, 0, (250, 246, 236), 1.5)
    with pen.part("door", pen.rng.choice(names)) as colour:
        pen.box(x - 12.5, -44.5, x + 12.5, 0, Fade(light(colour, 0.18), dark(colour, 0.18)), 1)
        for y in (-40, -20):
            pen.box(x - 8.5, y, x + 8.5, y + 15, dark(colour, 0.16), 1.5)
        pen.oval(x + 9, -21, 1.9, 1.9, Glow((255, 240, 180), (214, 160, 60)))
    pen.box(x - 18, -3, x + 18, 1.5, Fade((196, 190, 186), (150, 146, 148)), 1)


def _roof(pen: Pen) -> None:
    names = [name for name in ("red", "brown", "gray", "blue", "orange") if name != pen.colour_name]
    hip = pen.rng.random() < 0.5
    corners = (
        points((-60, -58), (-36, -98), (36, -98), (60, -58))
        if hip
        else points((-60, -58), (0, -104), (60, -58))
    )
    outline = rounded(corners, 4)
    with pen.part("roof", pen.rng.choice(names)) as colour:
        pen.fill(outline, Fade(light(colour, 0.16), dark(colour, 0.22)))
        for row, y in enumerate(np.arange(-98.0, -60.0, 9.0)):
            pen.fill(stroke([(-60, y), (60, y)], 1.2), dark(colour, 0.5), 0.4, clip=outline)
            for x in range(-60 + 6 * (row % 2), 62, 12):
                tick = stroke([(x, y), (x, y + 9)], 1.0)
                pen.fill(tick, dark(colour, 0.5), 0.25, clip=outline)
        pen.fill(box(-61, -62, 61, -57), dark(colour, 0.4), 0.8, clip=outline)


def tent(pen: Pen) -> None:
    """Draw a ridge tent with an open front: 104 by 70."""
    pen.shadow(58, 7)
    colour = pen.colour
    side = rounded(points((-14, -68), (22, -64), (52, 0), (-2, 0)), 3)
    pen.fill(side, Fade(light(colour, 0.05), dark(colour, 0.34)))
    pen.fill(stroke([(4, -64), (25, 0)], 1.4), dark(colour, 0.5), 0.5, clip=side)
    front = rounded(points((-14, -69), (26, 0), (-52, 0)), 3)
    pen.fill(front, Fade(light(colour, 0.42), colour))
    pen.fill(points((-14, -50), (6, 1), (-33, 1)), (58, 46, 62), clip=front)
    flap = points((-14, -52), (-14, -30), (-26, 1), (-36, 1))
    pen.fill(flap, light(colour, 0.5), clip=front)
    pen.fill(points((-14, -52), (-6, -20), (8, 1), (12, 1)), light(colour, 0.2), clip=front)
    pen.line(_WOOD, 3, (-14, -66), (-14, -72))


def fence(pen: Pen) -> None:
    """Draw a fence of close planks: 112 by 42."""
    pen.shadow(60, 5)
    colour = pen.colour
    pen.box(-55, -34, 55, -3, dark(colour, 0.36))
    for index in range(8):
        x = -56 + 14 * index
        tone = instance(pen.colour_name, pen.rng)
        plank = rounded(points((x, 0), (x, -35), (x + 7, -43), (x + 14, -35), (x + 14, 0)), 1.6)
        pen.fill(plank, Fade(light(tone, 0.2), dark(tone, 0.2)))
        pen.fill(box(x + 11.5, -40, x + 14, 0), dark(tone, 0.5), 0.4, clip=plank)
    for y in (-28, -12):
        pen.fill(box(-55, y, 55, y + 5, 1), dark(colour, 0.3), 0.5)
        pen.fill(box(-55, y, 55, y + 1.5, 0.5), light(colour, 0.5), 0.5)


def bench(pen: Pen) -> None:
    """Draw a solid bench: 90 by 48."""
    pen.shadow(50, 6)
    colour = pen.colour
    iron: Colour = (74, 76, 92)
    for x in (-37, 29):
        pen.box(x, -22, x + 8, 0, Fade(iron, dark(iron, 0.4)), 1.5)
    back = box(-43, -48, 43, -22, 3)
    pen.fill(back, Fade(light(colour, 0.28), dark(colour, 0.06)))
    for y in (-39.5, -31):
        pen.fill(stroke([(-43, y), (43, y)], 1.6), dark(colour, 0.6), 0.6, clip=back)
    seat = box(-45, -25, 45, -14, 3.5)
    pen.fill(seat, Fade(light(colour, 0.42), dark(colour, 0.14)))
    pen.fill(box(-46, -17, 46, -13), dark(colour, 0.5), 0.6, clip=seat)
    for x in (-45, 39):
        pen.box(x, -34, x + 6, -12, Fade(light(iron, 0.15), iron), 2)
