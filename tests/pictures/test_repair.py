"""Files that aren't sound though their picture is whole are read; the others are refused, with why."""

from __future__ import annotations

import logging
import zlib
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from ssa.config import ImageLimits
from ssa.errors import ImageError
from ssa.pictures.decoding import decode_image

NOISE = np.random.default_rng(3).integers(0, 256, (40, 56, 3), dtype=np.uint8)


def saved(kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    Image.fromarray(NOISE).save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(name: bytes, data: bytes, wrong: int = 0) -> bytes:
    return len(data).to_bytes(4) + name + data + (zlib.crc32(name + data) ^ wrong).to_bytes(4)


def with_chunk(png: bytes, added: bytes, before: bytes = b"IDAT") -> bytes:
    at = png.index(before) - 4
    return png[:at] + added + png[at:]


JPEGS = {
    "baseline": saved("JPEG", quality=90),
    "progressive": saved("JPEG", quality=90, progressive=True),
    "full colour": saved("JPEG", quality=95, subsampling=0),
    "restarts": saved("JPEG", quality=90, restart_marker_rows=1),
}
PNG = saved("PNG")


@pytest.mark.parametrize("kind", sorted(JPEGS))
@pytest.mark.parametrize("end", [b"", b"\xff"])
def test_a_jpeg_without_its_end_marker_is_whole(
    kind: str, end: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    sound = JPEGS[kind]
    assert sound.endswith(b"\xff\xd9")
    with caplog.at_level(logging.INFO, "ssa"):
        found = decode_image(sound[:-2] + end)
    assert np.array_equal(found, decode_image(sound))
    assert caplog.messages == ["the JPEG has no end marker; all its rows are there"]


@settings(max_examples=60, deadline=None)
@given(kind=st.sampled_from(sorted(JPEGS)), share=st.floats(0.4, 0.97))
def test_a_jpeg_with_rows_missing_is_refused(kind: str, share: float) -> None:
    content = JPEGS[kind]
    with pytest.raises(ImageError, match="cut short or damaged"):
        decode_image(content[: int(len(content) * share)])


def test_rubbish_after_a_pictures_end_costs_nothing() -> None:
    assert np.array_equal(decode_image(PNG + b"rubbish" * 99), NOISE)
    jpeg = JPEGS["baseline"]
    assert np.array_equal(decode_image(jpeg + b"rubbish" * 99), decode_image(jpeg))


@pytest.mark.parametrize("name", ["tEXt", "zTXt", "iTXt"])
def test_a_png_may_hold_a_long_text(name: str) -> None:
    text = "a workflow of nodes, " * 60_000
    info = PngImagePlugin.PngInfo()
    if name == "iTXt":
        info.add_itxt("workflow", text, zip=True)
    else:
        info.add_text("workflow", text, zip=name == "zTXt")
    content = saved("PNG", pnginfo=info)
    assert name.encode() in content
    assert np.array_equal(decode_image(content), NOISE)


@pytest.mark.parametrize("name", [b"tEXt", b"pHYs", b"eXIf", b"tIME", b"gAMA", b"vpAg"])
@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
def test_a_wrong_checksum_beside_the_picture_costs_nothing(
    name: bytes, before: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    content = with_chunk(PNG, chunk(name, b"a\0bcdefgh", wrong=1), before)
    with caplog.at_level(logging.INFO, "ssa"):
        assert np.array_equal(decode_image(content), NOISE)
    assert caplog.messages in ([], [f"left out of the PNG: {name.decode()}"])


@pytest.mark.parametrize(("name", "byte"), [(b"IDAT", 900), (b"IHDR", 3), (b"IHDR", 14)])
def test_a_wrong_byte_in_the_picture_itself_is_refused(name: bytes, byte: int) -> None:
    at = PNG.index(name) + 4 + byte
    with pytest.raises(ImageError, match="cut short or damaged"):
        decode_image(PNG[:at] + bytes([PNG[at] ^ 1]) + PNG[at + 1 :])


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_a_png_with_rows_missing_is_refused_whatever_its_notes(share: float) -> None:
    content = with_chunk(PNG, chunk(b"tEXt", b"a\0b", wrong=1))
    with pytest.raises(ImageError, match="cut short or damaged"):
        decode_image(content[: int(len(content) * share)])


def test_a_bomb_beside_a_wrong_checksum_stays_one() -> None:
    header = chunk(b"IHDR", (20_000).to_bytes(4) + (20_000).to_bytes(4) + bytes([8, 2, 0, 0, 0]))
    body = chunk(b"tEXt", b"a\0b", wrong=1) + chunk(b"IDAT", zlib.compress(b"0" * 99))
    content = b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IEND", b"")
    with pytest.raises(ImageError, match="at most 100,000,000 pixels"):
        decode_image(content)
    with pytest.raises(ImageError, match=r"cut short or damaged|at most"):
        decode_image(JPEGS["baseline"][:-2], ImageLimits(max_pixels=100))


@pytest.mark.parametrize("head", [PNG[:8], PNG[:20], b"\xff\xd8\xff\xe0", b"GIF89a"])
def test_what_began_as_a_picture_is_called_damaged(head: bytes) -> None:
    with pytest.raises(ImageError, match="cut short or damaged"):
        decode_image(head)
