"""Regions as small pictures: what is around them, with their outlines, as a page can hold it."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from PIL import Image

from ssa.errors import InputError
from ssa.masks.run_lengths import box_of, decode
from ssa.pictures.decoding import decode_image
from ssa.score.worst import Case
from ssa.types import BoolMask, BoxXYXY, RGBImage

LARGEST = 320
"""The longer side of a crop that is shown, in pixels."""

AROUND = 0.25
LEAST_AROUND_PX = 12
"""What is shown around a region: a part of its longer side, and no less than this."""

TRUE, FOUND = (0, 200, 120), (235, 60, 160)
"""The colours of outlines. The true one is the wider, so that both are seen where they are the same."""

_WIDTHS_PX = {TRUE: 5, FOUND: 2}

_QUALITY = 82


def crop_of(case: Case) -> str:
    """A case's crop as a ``data:`` URI of a JPEG: the true outline, and the found one.

    Raises ``InputError`` where the picture isn't at hand, or is another one now.
    """
    image = _picture(case)
    outlines = [
        (decode(one.mask), colour)
        for one, colour in ((case.true, TRUE), (case.found, FOUND))
        if one is not None
    ]
    if any(mask.shape != image.shape[:2] for mask, _ in outlines):
        raise InputError("the picture has another size now")
    shown = np.logical_or.reduce([mask for mask, _ in outlines])
    left, top, right, bottom = _box(shown)
    scale = min(LARGEST / max(right - left, bottom - top), 4.0)
    size = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    crop = cv2.resize(image[top:bottom, left:right], size, interpolation=how)
    for mask, colour in outlines:
        _outline(crop, mask[top:bottom, left:right], colour)
    return _uri(np.asarray(crop, np.uint8))


def _picture(case: Case) -> RGBImage:
    if case.place is None:
        raise InputError("the picture isn't at hand: the file of regions has none")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "picture"
        try:
            case.place(path)
            return decode_image(path)
        except (ValueError, OSError) as error:
            raise InputError("the picture is no longer where it was, or can't be read") from error


def _box(mask: BoolMask) -> BoxXYXY:
    """The part of the picture to show; all of it for a mask without a pixel."""
    height, width = mask.shape
    if not mask.any():
        return 0, 0, width, height
    x, y, wide, high = map(int, box_of(mask))
    around = max(LEAST_AROUND_PX, round(AROUND * max(wide, high)))
    return (
        max(0, x - around),
        max(0, y - around),
        min(width, x + wide + 1 + around),
        min(height, y + high + 1 + around),
    )


def _outline(crop: RGBImage, mask: BoolMask, colour: tuple[int, int, int]) -> None:
    """Draw the edge of a mask, of the crop's part of the picture, into the crop."""
    size = crop.shape[1], crop.shape[0]
    large = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    edges, _ = cv2.findContours(large, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(crop, edges, -1, colour, _WIDTHS_PX[colour])


def _uri(crop: RGBImage) -> str:
    buffer = io.BytesIO()
    Image.fromarray(crop).save(buffer, format="JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
