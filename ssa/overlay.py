"""The picture with its regions tinted, outlined and named.

Each pixel takes the colour of the smallest region on it, so that parts show on their wholes; each name
stands in the middle of the widest visible part of its region.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ssa import masks
from ssa.crops import crop, scaled_box
from ssa.types import AnnotatedImage, Annotation, BoxXYXY, RGBImage

RGB = tuple[int, int, int]

FILL_OPACITY = 0.45
LINE_OPACITY = 0.9
# The outline is one pixel wide for each so many of the picture's shorter side.
LINE_EVERY_PX = 400
# How far a region's outline is from its fill towards white.
LINE_LIGHTNESS = 0.62

HUES = 18
# OKLCH lightness and chroma: three rings of colours that the eye tells apart at one hue.
RINGS = ((0.68, 0.19), (0.82, 0.15), (0.56, 0.18))

# A name takes up so much of the ellipse it stands in.
FILLED = 0.85
# Larger regions are searched for their widest place in a copy of this size.
SEARCH_AREA_PX = 40_000

_NOBODY = -1
_SLOTS = HUES * len(RINGS)
# Nearly half way round the hues, and prime to the number of slots, so that it reaches all of them.
_STRIDE = 25


def draw_overlay(image: RGBImage, annotated: AnnotatedImage) -> RGBImage:
    """Draw all regions and their names over a picture (H, W, 3) RGB; a new array of the same size.

    Without annotations the result equals the picture. Raises ``ValueError`` where sizes differ.
    """
    if image.shape != (annotated.height, annotated.width, 3):
        raise ValueError(
            f"expected a picture of shape {(annotated.height, annotated.width, 3)}; got {image.shape}"
        )
    if not annotated.annotations:
        return image.copy()
    # Stable sort: of equal areas, the later stays on top.
    order = sorted(annotated.annotations, key=lambda one: -one.proposal.area_px)
    owner = _paint_order_map(order, image.shape[0], image.shape[1])
    colours = label_colours(one.class_name for one in order)
    palette = np.array([colours[one.class_name] for one in order], dtype=np.uint8)
    canvas = _outline(_fill(image, owner, palette), owner, palette)
    return _write(canvas, _place_names(order, owner))


# --- colours -------------------------------------------------------------------------------------


def label_colours(labels: Iterable[str]) -> dict[str, RGB]:
    """One RGB colour a label, the same on every machine, and different within one picture.

    A label's hash picks one of 54 colours; where two labels of a picture pick the same, the one later in
    the alphabet moves on to a free one. Past that many labels, colours repeat.
    """
    taken: set[int] = set()
    colours: dict[str, RGB] = {}
    for label in sorted(set(labels)):
        slot = _home_slot(label)
        while slot in taken and len(taken) < _SLOTS:
            slot = (slot + _STRIDE) % _SLOTS
        taken.add(slot)
        colours[label] = _slot_colour(slot)
    return colours


def _home_slot(label: str) -> int:
    # Not hash(): Python salts it anew in every run.
    digest = hashlib.sha256(label.encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") % _SLOTS


@cache
def _slot_colour(slot: int) -> RGB:
    # Rings are turned against each other, so that no two of all the colours share a hue.
    ring, step = slot % len(RINGS), slot // len(RINGS)
    lightness, chroma = RINGS[ring]
    return _oklch_to_rgb(lightness, chroma, (step + ring / len(RINGS)) / HUES)


def _oklch_to_rgb(lightness: float, chroma: float, turn: float) -> RGB:
    """OKLCH (hue in turns) → sRGB, clipped to the gamut. Matrices: B. Ottosson, "Oklab", 2020."""
    a, b = chroma * math.cos(math.tau * turn), chroma * math.sin(math.tau * turn)
    cone_roots = (
        lightness + 0.3963377774 * a + 0.2158037573 * b,
        lightness - 0.1055613458 * a - 0.0638541728 * b,
        lightness - 0.0894841775 * a - 1.2914855480 * b,
    )
    l, m, s = (root**3 for root in cone_roots)  # noqa: E741 - the cones' own names
    linear = (
        4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
        -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
        -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s,
    )
    red, green, blue = (round(255 * _gamma(min(max(value, 0.0), 1.0))) for value in linear)
    return red, green, blue


def _gamma(linear: float) -> float:
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055


# --- regions -------------------------------------------------------------------------------------


def _paint_order_map(order: list[Annotation], height: int, width: int) -> NDArray[np.int32]:
    """(H, W) index into ``order`` of the region on top of each pixel, -1 where there is none."""
    owner = np.full((height, width), _NOBODY, dtype=np.int32)
    for index, annotation in enumerate(order):
        mask = masks.decode(annotation.proposal.rle)
        if mask.shape != owner.shape:
            raise ValueError(f"expected masks of shape {owner.shape}; got {mask.shape}")
        box_xyxy = _box(annotation, height, width)
        crop(owner, box_xyxy)[crop(mask, box_xyxy)] = index
    return owner


def _box(annotation: Annotation, height: int, width: int) -> BoxXYXY:
    return scaled_box(annotation.proposal.bbox_xywh, 1.0, height, width)


def _fill(image: RGBImage, owner: NDArray[np.int32], palette: NDArray[np.uint8]) -> RGBImage:
    tinted = cv2.addWeighted(image, 1 - FILL_OPACITY, palette[owner], FILL_OPACITY, 0)
    return np.where((owner != _NOBODY)[..., None], tinted, image)


def _outline(canvas: RGBImage, owner: NDArray[np.int32], palette: NDArray[np.uint8]) -> RGBImage:
    """A light line inside each region's visible edge, except where a region on top of it begins.

    One line between any two regions, then, and it belongs to the upper one.
    """
    width_px = max(1.0, min(owner.shape) / LINE_EVERY_PX)
    weight = _edge_weight(owner, width_px)
    touched = weight > 0
    share = weight[touched, None] * LINE_OPACITY
    lighter = palette + (255.0 - palette) * LINE_LIGHTNESS
    line = lighter[owner[touched]].astype(np.float32)
    result = canvas.copy()
    result[touched] = np.rint(canvas[touched] * (1 - share) + line * share).astype(np.uint8)
    return result


def _edge_weight(owner: NDArray[np.int32], width_px: float) -> NDArray[np.float32]:
    """(H, W) 0 to 1: how much of the line's width reaches each pixel, from the edge inwards."""
    reach = math.ceil(width_px)
    # Exact: float32 holds whole numbers up to 16 million, and OpenCV's erosion takes no int32.
    depth = owner.astype(np.float32)
    weight = np.zeros(owner.shape, dtype=np.float32)
    for distance in range(reach, 0, -1):
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * distance + 1, 2 * distance + 1))
        near_lower = cv2.erode(depth, disc) < depth
        weight[near_lower] = min(1.0, width_px - (distance - 1))
    return weight


# --- names ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Name:
    """A name to write: its text, font size and the box its letters fill."""

    text: str
    size_px: int
    box_xyxy: BoxXYXY


def _place_names(order: list[Annotation], owner: NDArray[np.int32]) -> list[_Name]:
    """Names for the regions that have room for them, large regions first."""
    free = np.ones(owner.shape, dtype=bool)
    names = []
    for index, annotation in enumerate(order):
        name = _place_name(index, annotation, owner, free)
        if name is not None:
            crop(free, name.box_xyxy)[:] = False
            names.append(name)
    return names


def _place_name(
    index: int, annotation: Annotation, owner: NDArray[np.int32], free: NDArray[np.bool_]
) -> _Name | None:
    height, width = owner.shape
    text = " ".join(annotation.class_name.split())  # Pillow can't measure line breaks
    wide, high = _text_extent(text, 100)
    if not wide or not high:
        return None
    box_xyxy = _box(annotation, height, width)
    visible = (crop(owner, box_xyxy) == index) & crop(free, box_xyxy)
    x, y, half_height = _widest_place(visible, wide / high)
    size_px = _font_size(100 * 2 * half_height / high, min(height, width))
    if size_px is None:
        return None
    centre_xy = (box_xyxy[0] + x, box_xyxy[1] + y)
    text_box_xyxy = _text_box(text, size_px, centre_xy, height, width)
    if text_box_xyxy is None or not crop(free, text_box_xyxy).all():
        return None
    return _Name(text, size_px, text_box_xyxy)


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
    return int(size) if size >= max(9.0, side_px / 55) else None


def _text_box(
    text: str, size_px: int, centre_xy: tuple[float, float], height: int, width: int
) -> BoxXYXY | None:
    """The letters' box with its margin, moved into the picture; None where it is larger than that."""
    margin = _margin(size_px)
    wide, high = (extent + 2 * margin for extent in _text_extent(text, size_px))
    if wide > width or high > height:
        return None
    left = min(max(round(centre_xy[0] - wide / 2), 0), width - wide)
    top = min(max(round(centre_xy[1] - high / 2), 0), height - high)
    return left, top, left + wide, top + high


def _outline_px(size_px: int) -> int:
    return max(1, round(size_px / 11))


def _margin(size_px: int) -> int:
    return _outline_px(size_px) + 1


def _text_extent(text: str, size_px: int) -> tuple[int, int]:
    left, top, right, bottom = _font(size_px).getbbox(text, anchor="lt")
    return math.ceil(right - left), math.ceil(bottom - top)


@cache
def _font(size_px: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size_px)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError(
            "expected Pillow built with FreeType; install one of its published wheels"
        )
    return font


def _write(canvas: RGBImage, names: list[_Name]) -> RGBImage:
    """White letters with a dark outline: legible on light and on dark."""
    picture = Image.fromarray(canvas)
    draw = ImageDraw.Draw(picture)
    for name in names:
        margin = _margin(name.size_px)
        draw.text(
            (name.box_xyxy[0] + margin, name.box_xyxy[1] + margin),
            name.text,
            fill=(255, 255, 255),
            font=_font(name.size_px),
            anchor="lt",
            stroke_width=_outline_px(name.size_px),
            stroke_fill=(24, 24, 28),
        )
    return np.array(picture)
