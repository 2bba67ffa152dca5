"""Colours as sRGB, 8 bits a sample: embedded profiles applied, deep grey scaled, transparency laid on white.

In: a decoded Pillow image of any mode. Out: one of mode RGB. Where there is no profile, samples are taken as
sRGB, as the models' training pictures were.
"""

from __future__ import annotations

import logging
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

logger = logging.getLogger(__name__)

# Profiles that change no sample by more are sRGB by another name, or as good as that.
_SAME_COLOUR = 2

# What a profile's own colour space is called, by the mode that its samples have.
_SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}

# The greatest sample of 8, 10, 12, 14 and 16 bits.
_TOPS = (255.0, 1023.0, 4095.0, 16383.0, 65535.0)


def to_rgb(image: Image.Image) -> Image.Image:
    """The image as RGB, in sRGB where it says what its colours are."""
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(to_eight_bits(image)).convert("RGB")
    profile = image.info.get("icc_profile")
    if profile and image.mode != "LAB":
        image = _in_srgb(image, profile)
    if image.has_transparency_data:
        return _on_white(image)
    return image.convert("RGB")


def to_eight_bits(image: Image.Image) -> NDArray[np.uint8]:
    """Deep grey (modes I;16, I and F) → (H, W) uint8.

    Integers span 0 to the greatest sample of 8, 10, 12, 14 or 16 bits, whichever is the first that no value
    exceeds: cameras and scanners put their own depth into 16-bit files. So the line lies at 255, 1023, 4095
    and 16383; a 16-bit picture without one brighter value, a quarter of white at most, comes out brighter.
    Floats span 0 to 1, or 0 to 255. Values outside have no agreed white: they are stretched from least to
    greatest, as viewers do.
    """
    values = np.nan_to_num(np.asarray(image, dtype=np.float32))
    least, greatest = float(values.min()), float(values.max())
    tops = (1.0, 255.0) if image.mode == "F" else _TOPS
    top = next((top for top in tops if least >= 0.0 and greatest <= top), None)
    if top is not None:
        least, greatest = 0.0, top
    span = np.float64(greatest) - np.float64(least)  # float32 extremes differ by more than float32
    scaled = (values - np.float64(least)) / (span or 1.0)
    return np.rint(scaled * 255.0).astype(np.uint8)


def _in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """The image in sRGB by its profile, perceptually; as it is, with a log line, where that is broken."""
    straight = _straight(image)
    colours = straight.convert("RGB") if straight.mode == "RGBA" else straight
    try:
        given = ImageCms.ImageCmsProfile(BytesIO(profile))
        space = str(given.profile.xcolor_space).strip()
        if _SPACES.get(colours.mode) != space:
            raise ImageCms.PyCMSError(f"a profile of {space} beside samples of {colours.mode}")
        transform = ImageCms.buildTransform(
            given, ImageCms.createProfile("sRGB"), colours.mode, "RGB", ImageCms.Intent.PERCEPTUAL
        )
        if _changes_nothing(transform, colours.mode):
            return image
        found = ImageCms.applyTransform(colours, transform)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError) as error:
        logger.info("colour profile ignored: %s", error)
        return image
    if found is None:
        return image
    if straight.mode == "RGBA":
        found.putalpha(straight.getchannel("A"))
    return found


def _straight(image: Image.Image) -> Image.Image:
    """The image in a mode that profiles are written for: L, CMYK, RGB or RGBA."""
    if image.mode in ("L", "CMYK", "RGB") and not image.has_transparency_data:
        return image
    if image.mode == "1":
        return image.convert("L")
    plain = image.convert("LA") if image.mode == "La" else image
    return plain.convert("RGBA" if image.has_transparency_data else "RGB")


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether samples all over the colour space stay what they are."""
    if mode == "CMYK":
        return False
    ticks = np.linspace(0, 255, 17).round().astype(np.uint8)
    if mode == "L":
        colours = Image.fromarray(ticks[None])
    else:
        colours = Image.fromarray(np.stack(np.meshgrid(ticks, ticks, ticks), -1).reshape(17, -1, 3))
    found = ImageCms.applyTransform(colours, transform)
    before = np.asarray(colours.convert("RGB"), np.int16)
    return (
        found is not None
        and int(np.abs(np.asarray(found, np.int16) - before).max()) <= _SAME_COLOUR
    )


def _on_white(image: Image.Image) -> Image.Image:
    """Lay a transparent picture on white.

    The colour stored under full transparency is arbitrary (often black) and was never meant to be seen;
    cut-outs and drawings, what alpha is mostly used for, are made to be looked at on a white page.
    """
    # Pillow converts premultiplied grey only to plain grey with alpha, not to RGBA.
    straight = image.convert("LA") if image.mode == "La" else image
    rgba = straight.convert("RGBA")
    white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, rgba).convert("RGB")
