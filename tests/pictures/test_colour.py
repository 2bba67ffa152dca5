"""Colours: profiles are applied or ignored with a word, and deep grey has the depth that it was made with."""

from __future__ import annotations

import logging
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms

from ssa.pictures.decoding import decode_image

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def wide_profile() -> bytes:
    """SRGB's profile with its red and green colourants exchanged: no picture stays what it is."""
    profile = bytearray(SRGB)
    count = int.from_bytes(profile[128:132])
    places = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * count, 12)}
    red, green = places[b"rXYZ"], places[b"gXYZ"]
    entries = profile[red + 4 : red + 12], profile[green + 4 : green + 12]
    profile[green + 4 : green + 12], profile[red + 4 : red + 12] = entries
    return bytes(profile)


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def picture(mode: str = "RGB") -> Image.Image:
    rows, columns = np.mgrid[0:16, 0:16]
    pixels = np.stack([rows * 16, columns * 16, (rows + columns) * 8], -1).astype(np.uint8)
    return Image.fromarray(pixels).convert(mode)


def by_hand(image: Image.Image, profile: bytes) -> np.ndarray:
    given = ImageCms.ImageCmsProfile(BytesIO(profile))
    target = ImageCms.createProfile("sRGB")
    found = ImageCms.profileToProfile(image, given, target, outputMode="RGB", renderingIntent=0)
    return np.asarray(found)


def test_a_profile_is_applied() -> None:
    profile = wide_profile()
    found = decode_image(saved(picture(), icc_profile=profile))
    assert np.array_equal(found, by_hand(picture(), profile))
    assert np.abs(found.astype(int) - np.asarray(picture())).max() > 100
    # Pure red of a space whose red is sRGB's green.
    red = decode_image(saved(Image.new("RGB", (2, 2), (255, 0, 0)), icc_profile=profile))
    assert np.abs(red[0, 0].astype(int) - (0, 255, 0)).max() <= 3


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_srgb_and_no_profile_are_the_same_bytes(kind: str) -> None:
    plain, tagged = saved(picture(), kind), saved(picture(), kind, icc_profile=SRGB)
    assert SRGB in tagged or kind == "PNG"  # a PNG packs it
    assert np.array_equal(decode_image(plain), decode_image(tagged))


def test_transparency_stays_beside_a_profile() -> None:
    clear = picture("RGBA")
    clear.putalpha(0)
    found = decode_image(saved(clear, icc_profile=wide_profile()))
    assert np.array_equal(found, np.full((16, 16, 3), 255, np.uint8))
    solid = picture("RGBA")
    solid.putalpha(255)
    found = decode_image(saved(solid, icc_profile=wide_profile()))
    assert np.array_equal(found, by_hand(picture(), wide_profile()))


def test_a_palettes_colours_have_the_profile_too() -> None:
    few = picture().quantize(16)
    found = decode_image(saved(few, icc_profile=wide_profile()))
    assert np.array_equal(found, by_hand(few.convert("RGB"), wide_profile()))


@pytest.mark.parametrize("profile", [b"no profile", SRGB[:200], SRGB.replace(b"RGB ", b"CMYK", 1)])
def test_a_broken_profile_is_ignored_with_a_word(
    profile: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "ssa"):
        found = decode_image(saved(picture(), icc_profile=profile))
    assert np.array_equal(found, np.asarray(picture()))
    assert [text.split(":")[0] for text in caplog.messages] == ["colour profile ignored"]


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_a_ramp_of_any_depth_spans_black_to_white(bits: int, kind: str) -> None:
    top = 2**bits - 1
    ramp = np.linspace(0, top, 256).round().astype(np.uint16)[None]
    found = decode_image(saved(Image.fromarray(ramp), kind))
    assert np.abs(found[0, :, 0].astype(int) - np.arange(256)).max() <= 1
    assert (found[0, 0, 0], found[0, -1, 0]) == (0, 255)


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
def test_one_value_above_a_depth_makes_it_the_next(bits: int) -> None:
    values = np.array([[2**bits, 2 ** (bits - 1)]], np.uint16)
    next_top = {8: 1023, 10: 4095, 12: 16383, 14: 65535}[bits]
    found = decode_image(saved(Image.fromarray(values)))
    assert found[0, :, 0].tolist() == np.rint(values[0] * 255.0 / next_top).astype(int).tolist()
