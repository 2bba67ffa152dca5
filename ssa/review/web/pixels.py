"""What a browser gets to see of a picture: JPEG, crops, and which region is on top at each pixel."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from io import BytesIO

import numpy as np
from PIL import Image

from ssa.errors import ImageError, InputError
from ssa.masks.painting import paint
from ssa.pictures.decoding import decode_image
from ssa.sources.item import Blob
from ssa.types import RLE, BoxXYWH, RGBImage

THUMBNAIL = 112
"""Pixels of a crop's longer side."""


def pixels_of(picture: Blob) -> RGBImage:
    """The upright picture. Raises ``InputError`` where it is no longer where it was; says no path."""
    try:
        return decode_image(picture.read())
    except (OSError, EOFError, ImageError) as error:
        raise InputError("the picture is no longer where it was when it was annotated") from error


def jpeg(pixels: RGBImage, quality: int = 90) -> bytes:
    """The picture for a browser."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling=0)
    return file.getvalue()


def thumbnail(pixels: RGBImage, box_xywh: BoxXYWH) -> bytes:
    """A region's box with some of what is around it, as a small JPEG."""
    left, top, width, height = box_xywh
    edge = 0.15 * max(width, height) + 4
    right, bottom = left + width + 1 + edge, top + height + 1 + edge
    part = pixels[
        max(int(top - edge), 0) : int(bottom) + 1, max(int(left - edge), 0) : int(right) + 1
    ]
    small = Image.fromarray(part)
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    return jpeg(np.asarray(small), 85)


def id_map(masks: Sequence[RLE], height: int, width: int) -> bytes:
    """Position + 1 of the mask on top of each pixel, 0 for none: 24 bits, smaller masks on top.

    Deflated; three planes of H × W bytes, the lowest eight bits first, since the upper ones deflate to nothing.
    """
    owners = (paint(masks, height, width) + 1).astype("<u4")
    planes = owners.view(np.uint8).reshape(height * width, 4).T[:3]
    return zlib.compress(planes.tobytes(), 1)
