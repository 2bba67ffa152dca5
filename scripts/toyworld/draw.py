"""A supersampled canvas that draws every shape twice: into the picture and into the truth."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from toyworld import textures
from toyworld.colours import Colour
from toyworld.kinds import KINDS, Role
from toyworld.paint import Box, Paint, colours_of, offsets, spread
from toyworld.shapes import Points

_SHIFT: Final = 4
_FIXED: Final = 1 << _SHIFT


@dataclass(slots=True)
class Entry:
    """What the canvas knows of one region: its name, its parent and its area when drawn."""

    kind: str
    role: Role
    colour: str | None
    ground: str | None
    parent: int | None = None
    area: int = 0


@dataclass(slots=True)
class Canvas:
    """The picture being drawn, with the truth beside it.

    `picture` is (H, W, 3) uint8 RGB and `truth` (H, W) uint8 numbers of `entries`, both on the
    supersampled grid; `scale` is that grid's pixels per unit. `drift`, 0 to 1, says which piece of
    the wide texture tiles is used. Shapes are written to `truth` as
    region `current`.
    """

    picture: NDArray[np.uint8]
    truth: NDArray[np.uint8]
    scale: float
    drift: float = 0.0
    entries: list[Entry] = field(default_factory=list)
    current: int = 0

    @property
    def width(self) -> float:
        """The picture's width in units."""
        return float(self.truth.shape[1] / self.scale)

    @property
    def height(self) -> float:
        """The picture's height in units."""
        return float(self.truth.shape[0] / self.scale)

    def begin(
        self, kind: str, colour: str | None, ground: str | None = None, parent: int | None = None
    ) -> int:
        """Add a region and make it the current one; return its number."""
        self.entries.append(Entry(kind, KINDS[kind].role, colour, ground, parent))
        self.current = len(self.entries) - 1
        return self.current

    def fill(
        self,
        outlines: Sequence[Points],
        paint: Paint,
        alpha: float = 1.0,
        clip: Points | None = None,
    ) -> None:
        """Paint the union of `outlines` (units), inside `clip` if given.

        Only opaque paint counts as part of the region: a sheen or a shadow changes no truth.
        """
        fixed = [self._fixed(outline) for outline in outlines]
        if isinstance(paint, tuple) and alpha == 1.0 and clip is None:
            for polygon in fixed:
                cv2.fillPoly(self.picture, [polygon], paint, cv2.LINE_AA, _SHIFT)
                cv2.fillPoly(self.truth, [polygon], self.current, cv2.LINE_8, _SHIFT)
            return
        place = self._place(fixed)
        if place is None:
            return
        mask = self._coverage(fixed, place)
        if clip is not None:
            mask = cv2.multiply(mask, self._coverage([self._fixed(clip)], place), scale=1 / 255)
        if alpha == 1.0:
            self.truth[place.rows, place.columns][mask > 127] = self.current
        else:
            mask = cv2.convertScaleAbs(mask, alpha=alpha)
        self._blend(place, mask, colours_of(paint, place, self.scale))

    def soft(self, x: float, y: float, rx: float, ry: float, colour: Colour, alpha: float) -> None:
        """Paint a soft spot (a shadow or a glow) that belongs to whatever lies below it."""
        corners = np.array([[x - rx, y - ry], [x + rx, y + ry]])
        place = self._place([self._fixed(corners)])
        if place is None:
            return
        across, down = offsets(place, (0.5, 0.5))
        distance = np.minimum(1.0, 2.0 * np.sqrt(across**2 + down**2))
        mask = (255 * alpha * (1.0 - distance) ** 2 * (1.0 + 2.0 * distance)).astype(np.uint8)
        self._blend(place, mask, colours_of(colour, place, self.scale))

    def band(
        self,
        edge: Points,
        stops: Sequence[Colour],
        texture: str,
        amount: float,
        foot: float | None = None,
    ) -> None:
        """Paint everything below the curve `edge` (N, 2), left to right, as the current region.

        The colour runs through `stops` from the edge to `foot` (units; the picture's foot if
        None), with the named texture on it.
        """
        rows_total = self.truth.shape[0]
        top = max(0, int(edge[:, 1].min() * self.scale) - 1)
        if top >= rows_total:
            return
        last = self.height if foot is None else foot
        paint = self._ground(top, last, stops, texture, amount)
        solid = max(top, min(rows_total, int(edge[:, 1].max() * self.scale) + 2))
        # Only the rows that the curve crosses need blending; those below are plain copies.
        self.picture[solid:] = paint[solid - top :]
        self.truth[solid:] = self.current
        if solid <= top:
            return
        right, below = self.width + 8, self.height + 8
        corners = np.array([[right, edge[-1, 1]], [right, below], [-8, below], [-8, edge[0, 1]]])
        fixed = self._fixed(np.concatenate([edge, corners]))
        place = Box(slice(top, solid), slice(0, self.truth.shape[1]), (0, 0, 1, 1))
        mask = self._coverage([fixed], place)
        self.truth[top:solid][mask > 127] = self.current
        self._blend(place, mask, paint[: solid - top])

    def _ground(
        self, top: int, foot: float, stops: Sequence[Colour], texture: str, amount: float
    ) -> NDArray[np.uint8]:
        """Return the textured gradient (rows from `top`, W, 3) uint8."""
        rows, columns = self.truth.shape[0] - top, self.truth.shape[1]
        share = np.arange(rows) / max(1.0, foot * self.scale - top)
        known = np.linspace(0.0, 1.0, len(stops))
        channels = [np.interp(share, known, channel) for channel in np.array(stops).T]
        column = np.round(np.stack(channels, axis=1)).astype(np.uint8)
        plain = spread(column[:, None, :], rows, columns)
        tile = textures.tile(texture, self.scale)
        left = int(self.drift * (tile.shape[1] - columns))
        grain = tile[:rows, left : left + columns]
        mixed = cv2.addWeighted(plain, 1.0, grain, amount, -128 * amount)
        return np.asarray(mixed, np.uint8)

    def _fixed(self, outline: Points) -> NDArray[np.int32]:
        """Return `outline` in OpenCV's fixed-point numbers, whose whole numbers are centres."""
        return np.round((outline * self.scale - 0.5) * _FIXED).astype(np.int32)

    def _place(self, fixed: Sequence[NDArray[np.int32]]) -> Box | None:
        """Return where the polygons lie on the grid, or None if wholly outside."""
        x, y, wide, tall = cv2.boundingRect(fixed[0] if len(fixed) == 1 else np.concatenate(fixed))
        low, high = (x / _FIXED, y / _FIXED), ((x + wide) / _FIXED, (y + tall) / _FIXED)
        rows, columns = self.truth.shape
        x0, y0 = max(0, int(low[0]) - 1), max(0, int(low[1]) - 1)
        x1, y1 = min(columns, int(high[0]) + 3), min(rows, int(high[1]) + 3)
        if x0 >= x1 or y0 >= y1:
            return None
        return Box(slice(y0, y1), slice(x0, x1), (*low, *high))

    @staticmethod
    def _coverage(fixed: Sequence[NDArray[np.int32]], place: Box) -> NDArray[np.uint8]:
        """Return the antialiased union of the polygons, 0 to 255, inside `place`."""
        rows, columns = place.rows, place.columns
        mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
        origin = np.array([columns.start, rows.start], np.int32) * _FIXED
        for polygon in fixed:
            cv2.fillPoly(mask, [polygon - origin], 255, cv2.LINE_AA, _SHIFT)
        return mask

    def _blend(self, place: Box, mask: NDArray[np.uint8], colours: NDArray[np.uint8]) -> None:
        """Lay `colours` (h, w, 3) over the picture by `mask` (h, w)."""
        target = self.picture[place.rows, place.columns]
        weight = mask.astype(np.float32)
        weight *= 1 / 255
        target[:] = cv2.blendLinear(colours, target, weight, 1.0 - weight)
