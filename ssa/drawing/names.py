"""Names in the regions that have room for them, and numbers in those that haven't."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ssa.drawing.regions import Region
from ssa.pictures.crops import crop
from ssa.types import BoxXYXY, RGBImage

# A name takes up so much of the ellipse it stands in.
FILLED = 0.85
# Larger regions are searched for their widest place in a copy of this size.
SEARCH_AREA_PX = 40_000

# Where a number may stand beside its region's middle, in sizes of its letters: the nearest first.
_ASIDE = sorted(
    ((dx, dy) for dx in range(-4, 5) for dy in range(-4, 5)), key=lambda one: math.hypot(*one)
)


@dataclass(frozen=True, slots=True)
class Name:
    """A name to write: its text, font size and the box its letters fill."""

    text: str
    size_px: int
    box_xyxy: BoxXYXY
    is_number: bool = False


def place_names(
    regions: list[Region], owner: NDArray[np.int32], numbered: bool = False
) -> dict[int, Name]:
    """Names for the regions that have room for them, by position, large regions first.

    If ``numbered``, those that show and have no name get their number (from 1, in that order) in the middle
    of where they are widest, if need be beyond their edges, in the least size that can be read.
    """
    free = np.ones(owner.shape, dtype=bool)
    names: dict[int, Name] = {}
    for index, region in enumerate(regions):
        name = _place_name(index, region, owner, free)
        if name is not None:
            crop(free, name.box_xyxy)[:] = False
            names[index] = name
    if numbered:
        for index, region in enumerate(regions):
            if index not in names:
                number = _place_number(index, region, owner, free)
                if number is not None:
                    crop(free, number.box_xyxy)[:] = False
                    names[index] = number
    return names


def _place_number(
    index: int, region: Region, owner: NDArray[np.int32], free: NDArray[np.bool_]
) -> Name | None:
    """The region's number where it shows, moved aside as little as it must be; None where it is hidden."""
    height, width = owner.shape
    visible = crop(owner, region.box_xyxy) == index
    if not visible.any():
        return None
    text, size_px = str(index + 1), round(_least_size(min(height, width)))
    x, y, _ = _widest_place(visible, 1.0)
    x, y = x + region.box_xyxy[0], y + region.box_xyxy[1]
    places = [(x + dx * size_px, y + dy * size_px) for dx, dy in _ASIDE]
    boxes = [_text_box(text, size_px, place, height, width) for place in places]
    fitting = [box for box in boxes if box is not None]
    there = next((box for box in fitting if crop(free, box).all()), None)
    # Better one number on another than a region that nobody can find in the legend.
    box = there or (fitting[0] if fitting else None)
    return None if box is None else Name(text, size_px, box, is_number=True)


def _place_name(
    index: int, region: Region, owner: NDArray[np.int32], free: NDArray[np.bool_]
) -> Name | None:
    height, width = owner.shape
    text = " ".join(region.name.split())  # Pillow can't measure line breaks
    wide, high = text_extent(text, 100)
    if not wide or not high:
        return None
    box_xyxy = region.box_xyxy
    visible = (crop(owner, box_xyxy) == index) & crop(free, box_xyxy)
    x, y, half_height = _widest_place(visible, wide / high)
    size_px = _font_size(100 * 2 * half_height / high, min(height, width))
    if size_px is None:
        return None
    centre_xy = (box_xyxy[0] + x, box_xyxy[1] + y)
    text_box_xyxy = _text_box(text, size_px, centre_xy, height, width)
    if text_box_xyxy is None or not crop(free, text_box_xyxy).all():
        return None
    return Name(text, size_px, text_box_xyxy)


def _widest_place(region: NDArray[np.bool_], aspect: float) -> tuple[float, float, float]:
    """Centre x, y and half height, in px, of the largest ellipse in a region, ``aspect`` × as wide as high.

    It is the largest inscribed circle, looked for after stretching the region upwards by ``aspect``: a name
    is wide, so the room for it must be. Of nearly equal ones (a strip has many) it is the one nearest the
    region's centre. The half height is 0 where the region is empty.
    """
    rows, columns = region.shape
    scale = min(1.0, math.sqrt(SEARCH_AREA_PX / (rows * columns * aspect)))
    size_wh = (max(1, round(columns * scale)), max(1, round(rows * scale * aspect)))
    stretched = cv2.resize(region.astype(np.uint8), size_wh, interpolation=cv2.INTER_NEAREST)
    # The frame of zeros keeps the ellipse inside the box too.
    distance = cv2.distanceTransform(np.pad(stretched, 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    greatest = float(distance.max())
    if greatest == 0.0:
        return 0.0, 0.0, 0.0
    row, column = _most_central(np.nonzero(distance >= 0.9 * greatest), np.nonzero(stretched))
    y_scale, x_scale = rows / size_wh[1], columns / size_wh[0]
    radius = float(distance[row, column])
    return (column + 0.5) * x_scale, (row + 0.5) * y_scale, radius * y_scale


def _most_central(
    places: tuple[NDArray[np.intp], ...], region: tuple[NDArray[np.intp], ...]
) -> tuple[int, int]:
    """Of the places (rows, columns), the one nearest the middle of the region (rows, columns)."""
    off_centre = np.hypot(places[0] - region[0].mean(), places[1] - region[1].mean())
    nearest = int(np.argmin(off_centre))
    return int(places[0][nearest]), int(places[1][nearest])


def _font_size(room_px: float, side_px: int) -> int | None:
    """The size for a name in a region with room for ``room_px``; None where it can't be read.

    Between 1/55 and 1/28 of the picture's shorter side: names are as large as their regions allow, and
    none shouts.
    """
    size = min(max(11.0, side_px / 28), FILLED * room_px)
    return int(size) if size >= _least_size(side_px) else None


def _least_size(side_px: int) -> float:
    return max(9.0, side_px / 55)


def _text_box(
    text: str, size_px: int, centre_xy: tuple[float, float], height: int, width: int
) -> BoxXYXY | None:
    """The letters' box with its margin, moved into the picture; None where it is larger than that."""
    margin = _margin(size_px)
    wide, high = (extent + 2 * margin for extent in text_extent(text, size_px))
    if wide > width or high > height:
        return None
    left = min(max(round(centre_xy[0] - wide / 2), 0), width - wide)
    top = min(max(round(centre_xy[1] - high / 2), 0), height - high)
    return left, top, left + wide, top + high


def _outline_px(size_px: int) -> int:
    return max(1, round(size_px / 11))


def _margin(size_px: int) -> int:
    return _outline_px(size_px) + 1


def text_extent(text: str, size_px: int) -> tuple[int, int]:
    """Width and height of a line of text in pixels."""
    left, top, right, bottom = font(size_px).getbbox(text, anchor="lt")
    return math.ceil(right - left), math.ceil(bottom - top)


@cache
def font(size_px: int) -> ImageFont.FreeTypeFont:
    """Pillow's own font at a size in pixels. Raises ``RuntimeError`` where Pillow has no FreeType."""
    found = ImageFont.load_default(size_px)
    if not isinstance(found, ImageFont.FreeTypeFont):
        raise RuntimeError(
            "expected Pillow built with FreeType; install one of its published wheels"
        )
    return found


def write(canvas: RGBImage, names: Iterable[Name]) -> RGBImage:
    """White letters with a dark outline: legible on light and on dark."""
    picture = Image.fromarray(canvas)
    draw = ImageDraw.Draw(picture)
    for name in names:
        margin = _margin(name.size_px)
        draw.text(
            (name.box_xyxy[0] + margin, name.box_xyxy[1] + margin),
            name.text,
            fill=(255, 255, 255),
            font=font(name.size_px),
            anchor="lt",
            stroke_width=_outline_px(name.size_px),
            stroke_fill=(24, 24, 28),
        )
    return np.array(picture)
