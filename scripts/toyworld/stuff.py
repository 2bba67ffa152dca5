"""The backdrops: sky, mountains, hills, sea, sand, grass and road, painted far to near."""

import math
import random
from dataclasses import dataclass

import numpy as np

from toyworld.colours import Colour, dark, light, mix
from toyworld.draw import Canvas
from toyworld.light import Light
from toyworld.paint import Fade
from toyworld.shapes import Points, box, points


@dataclass(slots=True)
class Backdrop:
    """Paints stuff on a canvas; stuff of one kind is one region however often it is painted."""

    canvas: Canvas
    rng: random.Random
    light: Light
    numbers: dict[str, int]

    def use(self, kind: str, colour: str | None) -> None:
        """Make the region of `kind` the current one, adding it if it is new."""
        if kind in self.numbers:
            self.canvas.current = self.numbers[kind]
        else:
            self.numbers[kind] = self.canvas.begin(kind, colour)

    def edge(self, y: float, roll: float) -> Points:
        """Return a gently rolling curve across the picture at height `y`, (N, 2)."""
        across = np.linspace(-8.0, self.canvas.width + 8.0, 49)
        phase, second = self.rng.uniform(0, 6.28), self.rng.uniform(0, 6.28)
        wave = np.sin(across / 58 + phase) + 0.45 * np.sin(across / 23 + second)
        return np.stack([across, y + roll * wave], axis=1)

    def sky(self, horizon: float) -> None:
        """Paint the sky, its lowest colour at the horizon."""
        self.use("sky", self.light.sky_colour)
        self.canvas.band(self.edge(-9.0, 0.0), self.light.sky, "sky", 1.0, foot=horizon + 6)
        if self.light.name == "dusk":
            self._stars(0.5 * horizon)

    def _stars(self, bottom: float) -> None:
        for _ in range(16):
            x, y = self.rng.uniform(0, self.canvas.width), self.rng.uniform(0, bottom)
            radius = self.rng.uniform(1.0, 2.2)
            self.canvas.soft(x, y, radius, radius, (255, 250, 226), self.rng.uniform(0.4, 0.9))

    def far(self, colour: Colour, share: float) -> Colour:
        """Return `colour` seen through the haze that hangs before the horizon."""
        return mix(colour, self.light.sky[2], share)

    def mountains(self, horizon: float, high: float) -> None:
        """Paint two rows of peaks with a sunlit and a shaded side and snow on top."""
        self.use("mountain", None)
        tone = self.rng.choice(((112, 116, 148), (128, 112, 122), (98, 124, 134), (126, 106, 98)))
        for row, (share, haze) in enumerate(((1.0, 0.42), (0.62, 0.2))):
            x = self.rng.uniform(-60.0, -10.0)
            while x < self.canvas.width + 20:
                tall = high * share * self.rng.uniform(0.7, 1.0)
                wide = tall * self.rng.uniform(0.95, 1.35)
                peak = (x + wide * self.rng.uniform(0.85, 1.15), horizon - tall)
                self._peak(x, peak, x + 2 * wide, horizon + 14, self.far(tone, haze), row == 0)
                x += wide * self.rng.uniform(0.95, 1.3)

    def _peak(
        self,
        left: float,
        peak: tuple[float, float],
        right: float,
        foot: float,
        tone: Colour,
        snow: bool,
    ) -> None:
        px, py = peak
        tall = foot - py
        ridge = [(px, py), (px + 0.05 * tall, py + 0.3 * tall), (px - 0.06 * tall, py + 0.6 * tall)]
        outline = points((left, foot), (px, py), (right, foot))
        shade = points(*ridge, (px + 0.1 * tall, foot), (right, foot))
        bright, dim = light(tone, 0.16), dark(tone, 0.18)
        self.canvas.fill([outline], Fade(bright, self.far(tone, 0.3), grain=0.5))
        self.canvas.fill([shade], Fade(dim, self.far(dim, 0.3), grain=0.5), clip=outline)
        if snow:
            self._snow(px, py, 0.34 * tall, outline)

    def _snow(self, px: float, py: float, deep: float, outline: Points) -> None:
        left, right = px - 1.6 * deep, px + 1.6 * deep
        jag = [
            (left + (right - left) * step / 8, py + deep * (1.15 if step % 2 else 0.72))
            for step in range(9)
        ]
        snow = points((px, py - 2), *reversed(jag))
        self.canvas.fill([snow], (244, 247, 252), clip=outline)
        self.canvas.fill([self._dim(jag, px, py)], (200, 211, 232), clip=outline)

    @staticmethod
    def _dim(jag: list[tuple[float, float]], px: float, py: float) -> Points:
        """Return the shaded half of a snow cap: the right half of its jagged rim."""
        rim = [corner for corner in jag if corner[0] > px]
        return points((px, py - 2), *reversed(rim))

    def grass(self, y: float, roll: float, haze: float = 0.0, fresh: float = 0.0) -> None:
        """Paint grass below `y`; far grass is hazy and paler."""
        self.use("grass", "green")
        tone = mix((126, 184, 84), (150, 190, 92), fresh)
        top = self.far(light(tone, 0.12), haze)
        self.canvas.band(self.edge(y, roll), (top, mix(tone, (78, 142, 66), 0.8)), "grass", 0.85)

    def sand(self, y: float, roll: float) -> None:
        """Paint sand below `y`."""
        self.use("sand", None)
        self.canvas.band(self.edge(y, roll), ((236, 214, 162), (226, 192, 134)), "sand", 0.9)

    def sea(self, y: float) -> None:
        """Paint water below `y`, pale where it meets the sky, with the sky's colour in it."""
        self.use("sea", "blue")
        far = mix((88, 178, 200), self.light.sky[2], 0.32)
        near = mix((24, 112, 158), self.light.sky[1], 0.1)
        self.canvas.band(self.edge(y, 0.0), (far, near), "sea", 1.0)

    def shore(self, y: float, roll: float) -> None:
        """Paint sand below `y` with wet sand and a line of foam along its edge."""
        edge = self.edge(y, roll)
        self.use("sea", "blue")
        below = edge + np.array((0.0, 6.0))
        foam = np.concatenate([edge - np.array((0.0, 2.6)), below[::-1]])
        self.canvas.fill([foam], (238, 248, 250), 0.85)
        self.use("sand", None)
        fade = ((228, 204, 152), (224, 190, 132))
        self.canvas.band(edge, fade, "sand", 0.9)
        wet = np.concatenate([edge, below[::-1]])
        self.canvas.fill([wet], (150, 122, 92), 0.3)

    def road(self, top: float, bottom: float) -> None:
        """Paint a road across the picture with kerbs and a dashed line; it covers all below."""
        self.use("road", "gray")
        grays = ((136, 138, 148), (104, 106, 118))
        self.canvas.band(self.edge(top, 0.0), grays, "road", 1.0, foot=bottom)
        width = self.canvas.width
        self.canvas.fill(
            [box(-4, top - 0.5, width + 4, top + 2.6)], Fade((206, 204, 200), (168,) * 3)
        )
        middle = top + 0.5 * (bottom - top)
        x = self.rng.uniform(-36.0, 0.0)
        while x < width:
            dash = points(
                (x + 2, middle - 1.8),
                (x + 22, middle - 1.8),
                (x + 20, middle + 1.8),
                (x, middle + 1.8),
            )
            self.canvas.fill([dash], (240, 234, 214))
            x += 42.0
        self.canvas.fill(
            [box(-4, bottom - 3.4, width + 4, bottom + 4)], Fade((214, 212, 208), (172, 172, 176))
        )

    def path(self, horizon: float) -> None:
        """Paint a winding road that comes from the horizon to the picture's foot."""
        self.use("road", "gray")
        start, end = self.canvas.width * self.rng.uniform(0.3, 0.7), self.canvas.width * 0.5
        end += self.canvas.width * self.rng.uniform(-0.22, 0.22)
        bend, foot = self.rng.uniform(-26, 26), self.canvas.height + 6
        share = np.linspace(0.0, 1.0, 17)
        y = horizon + (foot - horizon) * share
        middle = start + (end - start) * share + bend * np.sin(math.pi * share * 1.4)
        half = 3.0 + 36.0 * share**1.4
        outline = np.concatenate(
            [np.stack([middle - half, y], axis=1), np.stack([middle + half, y], axis=1)[::-1]]
        )
        self.canvas.fill([outline], Fade((160, 158, 162), (110, 112, 122), grain=0.6))
        for step in range(2, 16, 3):
            x0, x1 = middle[step], middle[step + 1]
            dash = [(x0 - half[step] / 14, y[step]), (x0 + half[step] / 14, y[step])]
            dash += [
                (x1 + half[step + 1] / 14, y[step + 1]),
                (x1 - half[step + 1] / 14, y[step + 1]),
            ]
            self.canvas.fill([points(*dash)], (240, 234, 214))
