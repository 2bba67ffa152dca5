"""Trees, flowers, rocks, clouds and the sun."""

import math

from toyworld.colours import Colour, dark, light, mix
from toyworld.paint import Fade, Glow
from toyworld.pen import Pen
from toyworld.shapes import box, oval, points, rounded, smooth, stroke


def tree(pen: Pen) -> None:
    """Draw a tree: round, a poplar or (if green) a fir: 80 by 116."""
    pen.shadow(38, 7)
    form = pen.rng.random()
    if pen.colour_name == "green" and form < 0.36:
        _fir(pen)
    elif form < 0.55:
        _poplar(pen)
    else:
        _round_tree(pen)


def _trunk(pen: Pen, wide: float, high: float) -> None:
    with pen.part("trunk", "brown") as bark:
        foot = 0.7 * wide
        sides = [(-foot, 0.0), (-wide / 2, -8.0), (-wide / 2, -high), (wide / 2, -high)]
        sides += [(wide / 2, -8.0), (foot, 0.0)]
        outline = rounded(points(*sides), 2)
        pen.fill(outline, Fade(light(bark, 0.16), dark(bark, 0.22), across=True))
        for x, y in ((-0.2, -0.5), (0.18, -0.28)):
            grain = stroke([(x * wide, y * high), (x * wide, y * high - 9)], 1.4)
            pen.fill(grain, dark(bark, 0.5), 0.5, clip=outline)


def _round_tree(pen: Pen) -> None:
    colour = pen.colour
    _trunk(pen, 19, 62)
    pen.fill(oval(0, -72, 27, 25), Fade(colour, dark(colour, 0.34), grain=0.9))
    # Lobes from back to front, each lit from above, make a crown of leaf masses.
    for x, y, radius in (
        (0, -96, 22),
        (-21, -80, 20),
        (21, -78, 20),
        (-13, -64, 18),
        (13, -63, 18),
    ):
        lobe = oval(x, y, radius, radius)
        pen.fill(lobe, Fade(light(colour, 0.26), dark(colour, 0.26), grain=0.9))
        pen.fill(oval(x - 3, y - 5, 0.66 * radius, 0.58 * radius), light(colour, 0.4), 0.2)
    for _ in range(9):
        leaf = oval(pen.rng.uniform(-26, 22), pen.rng.uniform(-104, -60), 2.6, 1.7, -0.6)
        pen.fill(leaf, light(colour, 0.62), 0.5)


def _poplar(pen: Pen) -> None:
    colour = pen.colour
    _trunk(pen, 17, 50)
    crown = smooth(
        points(
            (0, -118), (18, -96), (27, -66), (20, -40), (0, -32), (-20, -40), (-27, -66), (-18, -96)
        )
    )
    pen.fill(crown, Fade(light(colour, 0.26), dark(colour, 0.3), across=True, grain=0.9))
    for _ in range(16):
        x, y = pen.rng.uniform(-22, 22), pen.rng.uniform(-108, -42)
        leaf = stroke([(x - 2.6, y), (x, y + 2.4), (x + 2.6, y)], 1.7)
        pen.fill(leaf, light(colour, 0.55) if x < 2 else dark(colour, 0.45), 0.45, clip=crown)


def _fir(pen: Pen) -> None:
    colour = mix(pen.colour, (24, 100, 78), 0.35)
    _trunk(pen, 17, 40)
    for index, (wide, low, top) in enumerate(((40, -26, -70), (32, -52, -94), (23, -78, -118))):
        tier = rounded(points((-wide, low), (0, top), (wide, low)), 7)
        pen.fill(tier, Fade(light(colour, 0.22 + 0.06 * index), dark(colour, 0.24), grain=0.8))
        shade = points((4, top), (wide + 2, low + 1), (6, low + 1))
        pen.fill(shade, dark(colour, 0.5), 0.3, clip=tier)


def flower(pen: Pen) -> None:
    """Draw one big flower: 46 by 74."""
    pen.shadow(16, 4)
    colour, stem = pen.colour, (66, 138, 62)
    pen.line(Fade(light(stem, 0.12), dark(stem, 0.2)), 7.5, (0, -46), (2, -24), (0, -1))
    for side in (-1, 1):
        leaf = smooth(points((0, -8), (9 * side, -21), (20 * side, -25), (14 * side, -11)))
        pen.fill(leaf, Fade(light(stem, 0.24), stem))
    count = pen.rng.choice((6, 7, 8))
    petals = []
    for index in range(count):
        angle = 2 * math.pi * index / count - math.pi / 2
        x, y = 14.5 * math.cos(angle), -50 + 14.5 * math.sin(angle)
        petals.append(oval(x, y, 9.8, 7.2, angle))
    pen.fill(petals, Glow(dark(colour, 0.2), light(colour, 0.2), (0.5, 0.5)))
    for petal in petals:
        pen.fill(stroke([tuple(petal[28]), tuple(petal.mean(axis=0))], 1.4), dark(colour, 0.4), 0.3)
    heart: Colour = (246, 196, 62) if pen.colour_name not in ("yellow", "orange") else (122, 76, 44)
    pen.oval(0, -50, 8.5, 8.5, Glow(light(heart, 0.3), dark(heart, 0.16)))


def rock(pen: Pen) -> None:
    """Draw a faceted boulder: 68 by 46."""
    pen.shadow(37, 6)
    colour = pen.colour
    lean = pen.rng.uniform(-6, 6)
    corners = points(
        (-33, -2), (-29, -22), (-12 + lean, -43), (12 + lean, -45), (29, -25), (34, -2)
    )
    outline = rounded(corners, 7)
    pen.fill(outline, Fade(light(colour, 0.14), dark(colour, 0.24), grain=1.6))
    facet = points((-14 + lean, -46), (16 + lean, -47), (6, -27), (-20, -20))
    pen.fill(facet, light(colour, 0.6), 0.5, clip=outline)
    side = points((6, -27), (16 + lean, -47), (38, -26), (38, 2), (14, 2))
    pen.fill(side, dark(colour, 0.6), 0.3, clip=outline)
    pen.fill(stroke([(-20, -20), (-10, -9), (-12, -2)], 1.4), dark(colour, 0.6), 0.5, clip=outline)


def cloud(pen: Pen) -> None:
    """Draw a fair-weather cloud: 84 by 44."""
    colour, lean = pen.colour, pen.rng.uniform(-5, 5)
    puffs = [
        box(-41, -24, 41, 0, 12),
        oval(-22, -20, 16, 15),
        oval(-4 + lean, -27, 19, 18),
        oval(18, -21, 16, 15),
    ]
    pen.fill(puffs, Fade(light(colour, 0.6), dark(colour, 0.1)))
    pen.fill(oval(-9 + lean, -33, 10, 6, -0.5), (255, 255, 255), 0.5, clip=puffs[2])
    pen.fill(oval(-26, -25, 8, 4.5, -0.6), (255, 255, 255), 0.45, clip=puffs[1])
    pen.fill(oval(0, 2, 40, 8), dark(colour, 0.3), 0.22, clip=puffs[0])


def sun(pen: Pen) -> None:
    """Draw the sun with a soft halo that belongs to the sky: 54 by 54."""
    colour = pen.colour
    reach = 62 * pen.size
    pen.canvas.soft(pen.x, pen.y - 27 * pen.size, reach, reach, light(colour, 0.5), 0.55)
    pen.oval(0, -27, 27, 27, Glow(light(colour, 0.5), colour, (0.45, 0.42)))
