"""Cars, buses, trucks, airplanes and boats."""

from toyworld.colours import Colour, dark, light, mix
from toyworld.paint import Fade, Glow
from toyworld.pen import Pen
from toyworld.shapes import box, oval, points, rounded, smooth, stroke

_GLASS: Colour = (150, 204, 232)
_CHROME: Colour = (206, 210, 216)


def _wheel(pen: Pen, x: float, radius: float) -> None:
    """Draw a wheel that stands on the ground at `x`."""
    with pen.part("wheel", "black"):
        pen.oval(x, -radius, radius, radius, Fade((66, 66, 76), (34, 34, 42)))
        pen.oval(x, -radius, 0.56 * radius, 0.56 * radius, Fade((226, 228, 232), (150, 154, 164)))
        pen.oval(x, -radius, 0.36 * radius, 0.36 * radius, Fade((150, 154, 164), (206, 208, 214)))
        pen.oval(x, -radius, 0.14 * radius, 0.14 * radius, (92, 96, 108))


def pane(pen: Pen, corners: list[tuple[float, float]], radius: float, lit: bool) -> None:
    """Draw a window with a diagonal sheen; lit from inside at dusk."""
    outline = rounded(points(*corners), radius)
    colour = "yellow" if lit else "blue"
    with pen.part("window", colour):
        if lit:
            pen.fill(outline, Fade((255, 238, 170), (250, 204, 108)))
        else:
            pen.fill(outline, Fade(dark(_GLASS, 0.14), light(_GLASS, 0.4)))
        x0, y0 = outline.min(axis=0)
        x1, y1 = outline.max(axis=0)
        wide = x1 - x0
        sheen = points(
            (x0 + 0.5 * wide, y0),
            (x0 + 0.8 * wide, y0),
            (x0 + 0.42 * wide, y1),
            (x0 + 0.12 * wide, y1),
        )
        pen.fill(sheen, (255, 255, 255), 0.32, clip=outline)


def _body(pen: Pen) -> Fade:
    return Fade(light(pen.colour, 0.26), dark(pen.colour, 0.12))


def car(pen: Pen) -> None:
    """Draw a small rounded car: 116 by 74."""
    pen.shadow(64, 7)
    colour = pen.colour
    sporty = pen.rng.random() < 0.4
    tail = (-38.0, -74.0) if not sporty else (-27.0, -74.0)
    shell = rounded(
        points(
            (-55, -11), (-56, -42), (-46, -46), tail, (18, -74), (38, -45), (54, -38), (56, -11)
        ),
        9,
    )
    pen.fill(shell, _body(pen))
    pen.fill(box(-60, -22, 60, -9), dark(colour, 0.32), 0.75, clip=shell)
    pen.fill(stroke([(-50, -38), (50, -34)], 1.6), light(colour, 0.55), 0.7, clip=shell)
    lit = pen.light == "dusk"
    rear = -33.0 if not sporty else -24.0
    pane(pen, [(-42, -43), (rear, -69), (-7, -69), (-7, -43)], 3.5, lit)
    pane(pen, [(-3, -43), (-3, -69), (15, -69), (31, -43)], 3.5, lit)
    pen.fill(stroke([(-5, -40), (-5, -14)], 1.2), dark(colour, 0.4), 0.6)
    pen.box(-1, -36, 7, -33, light(colour, 0.45), 1.4)
    pen.oval(51, -30, 4.5, 5, Glow((255, 252, 226), (248, 212, 120)))
    pen.box(-56, -36, -51, -27, (196, 44, 48), 2)
    for x in (-32, 32):
        arch = oval(x, -14.5, 17.5, 17.5)
        pen.fill(arch, dark(colour, 0.62), clip=shell)
    pen.box(46, -17, 60, -10, Fade(_CHROME, (140, 144, 154)), 3)
    pen.box(-60, -17, -46, -10, Fade(_CHROME, (140, 144, 154)), 3)
    _wheel(pen, -32, 14)
    _wheel(pen, 32, 14)


def bus(pen: Pen) -> None:
    """Draw a bus with four big windows: 146 by 82."""
    pen.shadow(80, 7)
    colour = pen.colour
    shell = rounded(points((-72, -11), (-72, -80), (66, -80), (73, -40), (73, -11)), 9)
    pen.fill(shell, _body(pen))
    pen.fill(box(-80, -84, 80, -73), light(colour, 0.5), 0.8, clip=shell)
    stripe: Colour = (250, 246, 232) if pen.colour_name != "white" else (84, 140, 200)
    pen.fill(box(-80, -36, 80, -30), stripe, 0.95, clip=shell)
    pen.fill(box(-80, -20, 80, -8), dark(colour, 0.34), 0.75, clip=shell)
    lit = pen.light == "dusk"
    for x in (-66, -33, 0):
        pane(pen, [(x, -68), (x + 28, -68), (x + 28, -41), (x, -41)], 4, lit)
    pane(pen, [(35, -68), (63, -68), (68, -41), (35, -41)], 4, lit)
    for x in (-40, 42):
        pen.fill(oval(x, -14, 18, 18), dark(colour, 0.62), clip=shell)
    pen.oval(68, -24, 3.6, 4.4, Glow((255, 252, 226), (248, 212, 120)))
    pen.box(-73, -30, -69, -21, (196, 44, 48), 1.6)
    _wheel(pen, -40, 14)
    _wheel(pen, 42, 14)


def truck(pen: Pen) -> None:
    """Draw a box truck: 134 by 80."""
    pen.shadow(74, 7)
    colour = pen.colour
    load = light(colour, 0.03 if pen.colour_name == "black" else 0.16)
    pen.box(-64, -20, 62, -10, (70, 72, 84), 2)
    cargo = box(-67, -79, 18, -16, 4)
    pen.fill(cargo, Fade(light(load, 0.2), dark(load, 0.08)))
    for x in (-50, -33, -16, 1):
        pen.fill(stroke([(x, -75), (x, -20)], 1.4), dark(load, 0.3), 0.5)
    pen.fill(box(-70, -82, 20, -74), light(load, 0.55), 0.7, clip=cargo)
    cab = rounded(points((20, -12), (20, -70), (48, -70), (63, -42), (67, -38), (67, -12)), 6)
    pen.fill(cab, Fade(light(colour, 0.2), dark(colour, 0.16)))
    pen.fill(box(18, -21, 70, -10), dark(colour, 0.36), 0.75, clip=cab)
    pane(pen, [(26, -39), (26, -65), (44, -65), (58, -39)], 3.5, pen.light == "dusk")
    pen.box(27, -35, 35, -32, light(colour, 0.45), 1.4)
    for x in (-40, 42):
        pen.fill(oval(x, -14, 17.5, 17.5), (48, 48, 60), clip=cab if x > 0 else cargo)
    pen.oval(63, -28, 3.6, 4.4, Glow((255, 252, 226), (248, 212, 120)))
    _wheel(pen, -40, 14)
    _wheel(pen, 42, 14)


def airplane(pen: Pen) -> None:
    """Draw an airplane in flight: 112 by 56."""
    colour = pen.colour
    shade = dark(colour, 0.2)
    accent: Colour = (58, 110, 190) if pen.colour_name == "white" else (250, 246, 236)
    pen.poly(Fade(shade, dark(colour, 0.32)), (2, -32), (20, -33), (0, -52), (-10, -52), radius=3)
    pen.poly(
        Fade(light(colour, 0.1), shade), (-52, -26), (-34, -26), (-42, -56), (-56, -56), radius=4
    )
    pen.poly(mix(accent, colour, 0.1), (-50, -46), (-39.5, -46), (-42, -56), (-55, -56), radius=2)
    hull = smooth(
        points(
            (-57, -33),
            (-30, -37),
            (20, -38),
            (44, -35),
            (56, -25),
            (44, -15),
            (10, -12),
            (-30, -18),
        )
    )
    pen.fill(hull, Fade(light(colour, 0.35), dark(colour, 0.16)))
    pen.fill(box(-60, -25, 60, -21), accent, 0.85, clip=hull)
    for x in range(-28, 30, 9):
        pen.oval(x, -29, 2.4, 2.8, (96, 146, 190))
    pen.fill(points((40, -36), (58, -30), (58, -26), (41, -27)), (96, 146, 190), clip=hull)
    pen.poly(Fade(light(colour, 0.12), shade), (-2, -22), (22, -22), (-8, 2), (-22, 2), radius=4)
    pen.box(0, -12, 18, -3, Fade(_CHROME, (128, 134, 148)), 4)
    pen.box(-50, -33, -34, -28, shade, 2)


def boat(pen: Pen) -> None:
    """Draw a sailing boat: 96 by 104; its foot is its waterline."""
    pen.shadow(52, 7, alpha=0.28)
    colour = pen.colour
    names = [
        name for name in ("white", "red", "yellow", "orange", "pink") if name != pen.colour_name
    ]
    name = pen.rng.choice([names[0], *names])
    pen.line(Fade((176, 128, 84), (124, 84, 54)), 4.5, (-2, -18), (-2, -103))
    with pen.part("sail", name) as cloth:
        main = smooth(points((3, -100), (8, -88), (36, -50), (44, -32), (24, -28), (3, -29)))
        pen.fill(main, Fade(light(cloth, 0.3), dark(cloth, 0.16), across=True))
        for low in (-46, -64):
            pen.fill(stroke([(0, low), (46, low + 3)], 1.2), dark(cloth, 0.35), 0.4, clip=main)
    with pen.part("sail", name) as cloth:
        jib = smooth(points((-6, -96), (-14, -76), (-38, -34), (-40, -29), (-22, -27), (-6, -30)))
        pen.fill(jib, Fade(dark(cloth, 0.1), light(cloth, 0.2), across=True))
    hull = rounded(points((-48, -26), (48, -28), (36, 0), (-32, 0)), 6)
    pen.fill(hull, Fade(light(colour, 0.2), dark(colour, 0.2)))
    pale: Colour = (250, 246, 232) if pen.colour_name != "white" else (70, 128, 190)
    pen.fill(points((-50, -22), (50, -24), (50, -19), (-50, -17)), pale, 0.95, clip=hull)
    for x in (-16, 2, 20):
        pen.oval(x, -11, 3, 3, Glow((190, 226, 240), (96, 146, 180)))
    pen.fill(stroke([(-40, 1), (-10, 2), (20, 0.5), (44, 2)], 3.2), (236, 248, 252), 0.8)
