"""People, birds, dogs, cats and sheep."""

import math
from typing import Final

from toyworld.colours import Colour, dark, light
from toyworld.paint import Fade, Glow
from toyworld.pen import Pen
from toyworld.shapes import Points, box, oval, points, rounded, smooth, stroke

_SKIN: Final[tuple[Colour, ...]] = (
    (250, 214, 184),
    (236, 188, 150),
    (206, 150, 108),
    (156, 104, 74),
    (116, 76, 56),
)
_HAIR: Final[tuple[Colour, ...]] = ((62, 44, 40), (110, 70, 46), (214, 166, 90), (40, 38, 48))
_TROUSERS: Final[tuple[Colour, ...]] = ((56, 72, 112), (92, 84, 80), (70, 74, 84), (150, 130, 100))
_INK: Final[Colour] = (44, 36, 46)
_SMILE: Final = tuple((0.5 + 0.8 * x, -68.2 - 0.1 * x * x) for x in range(-4, 5))


def _eye(pen: Pen, x: float, y: float, radius: float) -> None:
    pen.oval(x, y, radius, radius, _INK)
    pen.oval(x + 0.3 * radius, y - 0.35 * radius, 0.36 * radius, 0.36 * radius, (255, 255, 255))


def person(pen: Pen) -> None:
    """Draw a standing person in a shirt of the colour, or a dress: 40 by 92."""
    pen.shadow(22, 5)
    rng, colour = pen.rng, pen.colour
    skin, hair, cloth = rng.choice(_SKIN), rng.choice(_HAIR), rng.choice(_TROUSERS)
    long_hair, dress = rng.random() < 0.5, rng.random() < 0.35
    if long_hair:
        pen.fill(box(-13, -90, 13, -56, 10), Fade(hair, dark(hair, 0.2)))
    for x in (-7, 7):
        leg: Colour = skin if dress else cloth
        pen.box(x - 5.5, -36, x + 5.5, -2, Fade(leg, dark(leg, 0.2)), 2)
        pen.box(x - 6, -6, x + 8.5, 0, dark(cloth, 0.5), 3)
    _arms(pen, skin)
    hem = -22.0 if dress else -31.0
    wide = 19.0 if dress else 14.5
    shirt = rounded(points((-14, -64), (14, -64), (wide, hem), (-wide, hem)), 5)
    pen.fill(shirt, Fade(light(colour, 0.2), dark(colour, 0.14)))
    pen.fill(oval(0, -64, 6, 5), dark(skin, 0.1), clip=shirt)
    pen.fill(oval(0, -75, 12, 13), Glow(light(skin, 0.25), dark(skin, 0.06)))
    cap = smooth(
        points((-13, -76), (-12, -86), (0, -91), (12, -86), (13, -77), (6, -83), (-5, -82))
    )
    pen.fill(cap, Fade(light(hair, 0.14), hair))
    for x in (-4, 5):
        _eye(pen, x, -75, 1.5)
    pen.fill(stroke(_SMILE, 1.3), (176, 76, 76))
    for cheek in (-7.5, 8.5):
        pen.fill(oval(cheek, -71, 2.4, 1.6), (236, 116, 110), 0.45)


def _arms(pen: Pen, skin: Colour) -> None:
    """Draw both arms, one of them perhaps raised to wave."""
    raised = pen.rng.random() < 0.3
    sleeve = dark(pen.colour, 0.1)
    for side in (-1, 1):
        up = raised and side == 1
        elbow = (17.5 * side, -60.0 if up else -48.0)
        hand = (19.0 * side, -78.0 if up else -37.0)
        pen.line(skin, 7, elbow, hand)
        pen.oval(hand[0], hand[1], 4.3, 4.3, skin)
        pen.line(sleeve, 9, (11.0 * side, -59.0), elbow)


def dog(pen: Pen) -> None:
    """Draw a dog in profile: 66 by 56."""
    pen.shadow(34, 5)
    colour = pen.colour
    deep = dark(colour, 0.28)
    pen.line(deep, 6.5, (-22, -32), (-31, -42), (-31, -52), end=4)
    for x in (-15, 15):
        pen.box(x - 4.5, -20, x + 4.5, 0, deep, 3.5)
    body = smooth(
        points((-26, -28), (-20, -38), (4, -37), (20, -40), (24, -24), (10, -15), (-20, -15))
    )
    pen.fill(body, Fade(light(colour, 0.2), dark(colour, 0.14)))
    pen.fill(oval(-3, -17, 16, 5), light(colour, 0.5), 0.5, clip=body)
    for x in (-22, 8):
        pen.box(x - 5, -22, x + 5, 0, Fade(colour, dark(colour, 0.12)), 3.5)
    pen.box(24, -43, 38, -31, Fade(light(colour, 0.4), light(colour, 0.16)), 5.5)
    pen.oval(19, -43, 13, 12.5, Glow(light(colour, 0.28), dark(colour, 0.1)))
    pen.oval(37, -41.5, 3.2, 2.7, _INK if pen.colour_name != "black" else (20, 18, 26))
    pen.fill(smooth(points((10, -54), (17, -51), (16, -36), (10, -31), (5, -38))), deep)
    pen.oval(24.5, -46, 3, 3, (250, 248, 240))
    _eye(pen, 25, -46, 2)
    pen.fill(stroke([(10, -31), (22, -29)], 4.2), _collar(pen))


def _collar(pen: Pen) -> Colour:
    return (206, 50, 56) if pen.rng.random() < 0.5 else (52, 116, 204)


def cat(pen: Pen) -> None:
    """Draw a sitting cat that looks at us: 52 by 62."""
    pen.shadow(28, 5)
    colour = pen.colour
    deep = dark(colour, 0.3)
    pen.line(deep, 8, (12, -5), (24, -8), (27, -20), (22, -30), end=6)
    body = smooth(points((-12, -38), (12, -38), (20, -16), (17, -1), (0, 0), (-17, -1), (-20, -16)))
    pen.fill(body, Fade(light(colour, 0.14), dark(colour, 0.16)))
    pen.fill(oval(0, -18, 9, 14), light(colour, 0.6), 0.6, clip=body)
    for x in (-7, 7):
        pen.fill(box(x - 5, -18, x + 5, 0.5, 4.5), Fade(light(colour, 0.2), light(colour, 0.06)))
    for side in (-1, 1):
        ear = rounded(points((19 * side, -62), (18 * side, -44), (3 * side, -53)), 2)
        pen.fill(ear, dark(colour, 0.14))
        inner = points((16.5 * side, -58), (16 * side, -48), (8 * side, -53))
        pen.fill(inner, (240, 160, 164))
    head = smooth(
        points((-12, -54), (0, -56), (12, -54), (20, -43), (13, -33), (-13, -33), (-20, -43))
    )
    pen.fill(head, Fade(light(colour, 0.28), colour))
    if pen.colour_name in ("orange", "gray"):
        for x in (-5, 0, 5):
            pen.fill(stroke([(x, -57), (x, -50)], 2.2), deep, 0.8, clip=head)
    pen.fill(oval(0, -37, 9, 5.5), light(colour, 0.7), 0.7, clip=head)
    for x in (-8, 8):
        pen.oval(x, -44, 4.2, 4.4, (206, 226, 122))
        pen.oval(x, -44, 1.9, 3.8, _INK)
        pen.oval(x + 0.9, -45.6, 1, 1, (255, 255, 255))
    pen.poly((226, 112, 122), (-2.6, -40), (2.6, -40), (0, -37), radius=1)


def sheep(pen: Pen) -> None:
    """Draw a woolly sheep: 68 by 54."""
    pen.shadow(34, 5)
    colour, rng = pen.colour, pen.rng
    skin: Colour = (72, 62, 66) if pen.colour_name != "black" else (226, 206, 186)
    for x in (-18, -8, 9, 19):
        pen.box(x - 4, -20, x + 4, 0, Fade(skin, dark(skin, 0.3)), 2.5)
    turn = rng.uniform(0, 1)
    wool = [oval(-2, -29, 23, 15)]
    for index in range(11):
        angle = 2 * math.pi * (index + turn) / 11
        wool.append(oval(-2 + 20 * math.cos(angle), -29 + 12.5 * math.sin(angle), 9.5, 9))
    pen.fill(wool, Fade(light(colour, 0.2), dark(colour, 0.2)))
    for x, y in ((-16, -34), (-4, -38), (8, -34), (-10, -25), (3, -26)):
        curl = stroke([(x - 4, y), (x, y - 3), (x + 4, y)], 1.6)
        pen.fill(curl, dark(colour, 0.32), 0.4)
    pen.oval(17, -42, 5.5, 3.2, dark(skin, 0.16), 0.5)
    face = smooth(points((20, -46), (30, -44), (34, -32), (29, -25), (22, -29), (18, -38)))
    pen.fill(face, Fade(light(skin, 0.16), skin))
    pen.fill([oval(20, -46, 6.5, 5.5), oval(26, -47, 5, 4.5)], light(colour, 0.15))
    pen.oval(26.5, -38, 2.4, 2.4, (250, 248, 240))
    _eye(pen, 27, -38, 1.6)


def bird(pen: Pen) -> None:
    """Draw a bird, in flight in the sky and standing elsewhere: 56 by 48."""
    if pen.ground == "sky":
        _flying(pen)
    else:
        _standing(pen)


def _plumage(pen: Pen) -> tuple[Colour, Colour]:
    """Return the belly's and the wing's colour."""
    return light(pen.colour, 0.5), dark(pen.colour, 0.24)


def _beak(pen: Pen, x: float, y: float) -> None:
    pen.poly(
        Fade((252, 186, 66), (232, 138, 40)), (x, y - 4), (x + 11, y + 0.5), (x, y + 4), radius=1
    )


def _flying(pen: Pen) -> None:
    belly, deep = _plumage(pen)
    far_wing = smooth(points((2, -24), (14, -40), (22, -47), (22, -36), (16, -22)))
    pen.fill(far_wing, dark(deep, 0.2))
    pen.poly(deep, (-14, -24), (-32, -26), (-27, -18), (-30, -9), (-12, -15), radius=2.5)
    body = smooth(points((-20, -20), (-4, -28), (12, -30), (20, -20), (10, -9), (-8, -11)))
    pen.fill(body, Fade(light(pen.colour, 0.16), dark(pen.colour, 0.08)))
    pen.fill(oval(4, -10, 16, 5.5), belly, 0.6, clip=body)
    _beak(pen, 23, -25)
    pen.oval(16, -26, 9.5, 9, Glow(light(pen.colour, 0.3), pen.colour))
    _eye(pen, 18.5, -27, 2.3)
    wing = smooth(
        points((-9, -20), (-16, -36), (-21, -49), (-6, -43), (6, -32), (9, -20), (0, -16))
    )
    pen.fill(wing, Fade(light(deep, 0.1), deep))
    for tip in ((-14, -45), (-7, -41)):
        pen.fill(stroke([tip, (0, -24)], 1.2), dark(deep, 0.4), 0.5, clip=wing)


def _standing(pen: Pen) -> None:
    pen.shadow(22, 5)
    belly, deep = _plumage(pen)
    for x in (-3, 6):
        pen.line((226, 138, 48), 3.4, (x, -12), (x, -1.5), (x + 5, -1.5))
    pen.poly(deep, (-12, -24), (-30, -22), (-28, -12), (-10, -14), radius=2.5)
    body = smooth(
        points((-18, -20), (-8, -31), (8, -33), (19, -26), (16, -11), (2, -6), (-12, -10))
    )
    pen.fill(body, Fade(light(pen.colour, 0.14), dark(pen.colour, 0.1)))
    pen.fill(oval(10, -12, 12, 9), belly, 0.6, clip=body)
    _beak(pen, 21, -36)
    pen.oval(13, -37, 11, 10.5, Glow(light(pen.colour, 0.3), pen.colour))
    _eye(pen, 16, -39, 2.5)
    wing: Points = smooth(points((-18, -22), (-6, -28), (7, -24), (4, -14), (-8, -12)))
    pen.fill(wing, Fade(light(deep, 0.12), deep))
