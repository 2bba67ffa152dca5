"""A pen that draws a thing in its own coordinates: feet at the origin, up negative, facing right."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from toyworld.colours import Colour, instance
from toyworld.draw import Canvas
from toyworld.paint import Paint
from toyworld.shapes import Points, box, oval, rounded, smooth, stroke


@dataclass(frozen=True, slots=True)
class Pen:
    """Where and how large a thing is drawn, and what it is drawn with.

    `x`, `y` (units) is the middle of the thing's foot, `size` multiplies it, `flip` is 1 or -1.
    `ground` is the stuff it stands on ("sky" for what flies) and `light` the light's name.
    """

    canvas: Canvas
    rng: random.Random
    x: float
    y: float
    size: float
    flip: int
    colour: Colour
    colour_name: str
    ground: str
    light: str

    def place(self, outline: Points) -> Points:
        """Return `outline` moved from the thing's coordinates to the scene's."""
        return outline * (self.size * self.flip, self.size) + (self.x, self.y)

    def fill(
        self,
        outline: Points | list[Points],
        paint: Paint,
        alpha: float = 1.0,
        clip: Points | None = None,
    ) -> None:
        """Paint an outline, or the union of several, inside `clip` if given."""
        outlines = outline if isinstance(outline, list) else [outline]
        inside = None if clip is None else self.place(clip)
        self.canvas.fill([self.place(each) for each in outlines], paint, alpha, inside)

    def box(
        self, x0: float, y0: float, x1: float, y1: float, paint: Paint, radius: float = 0.0
    ) -> None:
        """Paint a rectangle with rounded corners."""
        self.fill(box(x0, y0, x1, y1, radius), paint)

    def oval(
        self, x: float, y: float, rx: float, ry: float, paint: Paint, angle: float = 0.0
    ) -> None:
        """Paint an ellipse."""
        self.fill(oval(x, y, rx, ry, angle), paint)

    def poly(self, paint: Paint, *corners: tuple[float, float], radius: float = 0.0) -> None:
        """Paint a polygon with rounded corners."""
        outline = np.array(corners, np.float64)
        self.fill(rounded(outline, radius) if radius else outline, paint)

    def curve(self, paint: Paint, *knots: tuple[float, float]) -> None:
        """Paint a smooth closed curve."""
        self.fill(smooth(np.array(knots, np.float64)), paint)

    def line(
        self, paint: Paint, width: float, *path: tuple[float, float], end: float = 0.0
    ) -> None:
        """Paint a thick line with round ends."""
        self.fill(stroke(path, width, end), paint)

    def shadow(self, rx: float, ry: float, dx: float = 0.0, alpha: float = 0.34) -> None:
        """Lay a soft contact shadow on the ground."""
        x, y = self.x + dx * self.size * self.flip, self.y - 0.5 * self.size
        self.canvas.soft(x, y, rx * self.size, ry * self.size, (24, 24, 48), alpha)

    @contextmanager
    def part(self, kind: str, colour: str | None) -> Iterator[Colour]:
        """Draw what follows as a part of this thing; gives an RGB colour of that name."""
        canvas, whole = self.canvas, self.canvas.current
        canvas.begin(kind, colour, self.ground, whole)
        try:
            yield instance(colour or "gray", self.rng)
        finally:
            canvas.current = whole
