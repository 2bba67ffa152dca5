"""The picture with its regions tinted, outlined and named.

Each pixel takes the colour of the smallest region on it, so that parts show on their wholes; each name
stands in the middle of the widest visible part of its region. Where there is a label map, its classes are
what is drawn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ssa.drawing.colours import GREY, label_colours
from ssa.labelling.clustering import NOISE
from ssa.masks import run_lengths as masks
from ssa.pictures.crops import crop, scaled_box
from ssa.types import AnnotatedImage, Annotation, BoxXYXY, LabelMap, RGBImage

FILL_OPACITY = 0.45
LINE_OPACITY = 0.9
# The outline is one pixel wide for each so many of the picture's shorter side.
LINE_EVERY_PX = 400
# How far a region's outline is from its fill towards white.
LINE_LIGHTNESS = 0.62

# A name takes up so much of the ellipse it stands in.
FILLED = 0.85
# Larger regions are searched for their widest place in a copy of this size.
SEARCH_AREA_PX = 40_000

_NOBODY = -1


def draw_overlay(image: RGBImage, annotated: AnnotatedImage) -> RGBImage:
    """Draw all regions and their names over a picture (H, W, 3) RGB; a new array of the same size.

    Without annotations the result equals the picture. Raises ``ValueError`` where sizes differ.
    """
    if image.shape != (annotated.height, annotated.width, 3):
        raise ValueError(
            f"expected a picture of shape {(annotated.height, annotated.width, 3)}; got {image.shape}"
        )
    regions, owner = _regions(annotated)
    if not regions:
        return image.copy()
    colours = label_colours(one.group for one in regions if one.group is not None)
    palette = np.array(
        [GREY if one.group is None else colours[one.group] for one in regions], dtype=np.uint8
    )
    canvas = _outline(_fill(image, owner, palette), owner, palette)
    return _write(canvas, _place_names(regions, owner))


# --- regions -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Region:
    """What is drawn as one: its text, the group whose colour it has (None for grey), and its box."""

    name: str
    group: str | None
    box_xyxy: BoxXYXY


def _regions(annotated: AnnotatedImage) -> tuple[list[_Region], NDArray[np.int32]]:
    """What there is to draw, the largest first, and its paint order map."""
    if annotated.label_map is not None:
        return _classes(annotated.label_map)
    # Stable sort: of equal areas, the later stays on top.
    order = sorted(enumerate(annotated.annotations), key=lambda one: -one[1].proposal.area_px)
    regions = [_region(annotation, position) for position, annotation in order]
    return regions, _paint_order_map(regions, [annotation for _, annotation in order], annotated)


def _region(annotation: Annotation, position: int) -> _Region:
    height, width = annotation.proposal.rle.height, annotation.proposal.rle.width
    box_xyxy = scaled_box(annotation.proposal.bbox_xywh, 1.0, height, width)
    number = annotation.evidence.cluster_id
    if number == NOISE:
        return _Region("", None, box_xyxy)  # grey says that it's like no other; words would crowd
    name = annotation.class_name
    if name is None:
        return _Region("", f"region {position}", box_xyxy)
    return _Region(name, name if number is None else f"cluster {number}", box_xyxy)


def _classes(label_map: LabelMap) -> tuple[list[_Region], NDArray[np.int32]]:
    """The classes that occur as regions, the largest first, and where each is."""
    areas = np.bincount(label_map.class_ids.ravel(), minlength=len(label_map.labels))
    order = [int(number) for number in np.argsort(-areas, kind="stable") if areas[number]]
    rank = np.full(len(areas), _NOBODY, dtype=np.int32)
    rank[order] = np.arange(len(order))
    owner = rank[label_map.class_ids]
    names = [label_map.labels[number] for number in order]
    boxes = [_box_of(owner == place) for place in range(len(order))]
    return [_Region(name, name, box) for name, box in zip(names, boxes, strict=True)], owner


def _box_of(mask: NDArray[np.bool_]) -> BoxXYXY:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _paint_order_map(
    regions: list[_Region], order: list[Annotation], annotated: AnnotatedImage
) -> NDArray[np.int32]:
    """(H, W) index into ``order`` of the region on top of each pixel, -1 where there is none."""
    owner = np.full((annotated.height, annotated.width), _NOBODY, dtype=np.int32)
    for index, (region, annotation) in enumerate(zip(regions, order, strict=True)):
        mask = masks.decode(annotation.proposal.rle)
        if mask.shape != owner.shape:
            raise ValueError(f"expected masks of shape {owner.shape}; got {mask.shape}")
        crop(owner, region.box_xyxy)[crop(mask, region.box_xyxy)] = index
    return owner


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


def _place_names(regions: list[_Region], owner: NDArray[np.int32]) -> list[_Name]:
    """Names for the regions that have room for them, large regions first."""
    free = np.ones(owner.shape, dtype=bool)
    names = []
    for index, region in enumerate(regions):
        name = _place_name(index, region, owner, free)
        if name is not None:
            crop(free, name.box_xyxy)[:] = False
            names.append(name)
    return names


def _place_name(
    index: int, region: _Region, owner: NDArray[np.int32], free: NDArray[np.bool_]
) -> _Name | None:
    height, width = owner.shape
    text = " ".join(region.name.split())  # Pillow can't measure line breaks
    wide, high = _text_extent(text, 100)
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
