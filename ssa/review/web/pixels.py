"""What a browser gets to see of a picture: JPEG, crops, and which region is on top at each pixel."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from io import BytesIO

import numpy as np
from PIL import Image

from ssa.errors import ImageError, InputError
from ssa.masks.painting import paint
from ssa.masks.run_lengths import box_of, decode
from ssa.pictures.decoding import decode_image
from ssa.sources.item import Blob
from ssa.types import RLE, RGBImage

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


def thumbnail(pixels: RGBImage, mask: RLE) -> bytes:
    """A region with some of what is around it, which is darkened, as a small JPEG.

    A picture of another size than the mask's is shown whole.
    """
    if pixels.shape[:2] != (mask.height, mask.width):
        return jpeg(_small(pixels), 85)
    inside = decode(mask)
    left, top, width, height = box_of(inside)
    edge = 0.15 * max(width, height) + 4
    right, bottom = left + width + 1 + edge, top + height + 1 + edge
    part = np.s_[
        max(int(top - edge), 0) : int(bottom) + 1, max(int(left - edge), 0) : int(right) + 1
    ]
    dark = pixels[part] * np.where(inside[part], 1.0, 0.4)[:, :, None]
    return jpeg(_small(dark.astype(np.uint8)), 85)


def _small(pixels: RGBImage) -> RGBImage:
    image = Image.fromarray(pixels)
    image.thumbnail((THUMBNAIL, THUMBNAIL))
    return np.asarray(image)


def id_map(masks: Sequence[RLE], height: int, width: int) -> bytes:
    """Position + 1 of the mask on top of each pixel, 0 for none: 24 bits, smaller masks on top.

    Deflated; three planes of H × W bytes, the lowest eight bits first: the upper ones deflate to nothing.
    """
    owners = (paint(masks, height, width) + 1).astype("<u4")
    planes = owners.view(np.uint8).reshape(height * width, 4).T[:3]
    return zlib.compress(planes.tobytes(), 1)
