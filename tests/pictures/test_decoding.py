"""Decoding: every kind of picture comes out right, every kind of rubbish gives one clear line."""

import struct
import warnings
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from ssa.config import ImageLimits
from ssa.errors import ImageError
from ssa.pictures.decoding import decode_image

SMALL = ImageLimits(max_pixels=10_000)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def only_colour(pixels: np.ndarray) -> tuple[int, ...]:
    colours = np.unique(pixels.reshape(-1, 3), axis=0)
    assert len(colours) == 1, colours
    return tuple(int(value) for value in colours[0])


def scene() -> np.ndarray:
    """(6, 9, 3) with no symmetry, so that any turn or swap of channels shows."""
    rows, columns = np.mgrid[0:6, 0:9]
    return np.stack([rows * 40, columns * 25, rows * 9 + columns], axis=-1).astype(np.uint8)


# --- what comes out -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "PPM", "TGA"])
def test_lossless_files_keep_each_pixel(kind: str) -> None:
    pixels = decode_image(saved(Image.fromarray(scene()), kind))
    assert np.array_equal(pixels, scene())
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert pixels.flags.writeable


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF", "JPEG2000"])
def test_lossy_files_keep_the_order_of_channels(kind: str) -> None:
    red = decode_image(saved(Image.new("RGB", (32, 32), (250, 10, 20)), kind))
    assert np.abs(red.astype(int) - (250, 10, 20)).max() <= 6


def test_a_path_an_open_file_and_bytes_give_the_same(tmp_path: Path) -> None:
    content = saved(Image.fromarray(scene()), "PNG")
    path = tmp_path / "scene.png"
    path.write_bytes(content)
    with path.open("rb") as file:
        file.read(5)  # someone has looked at it already
        assert np.array_equal(decode_image(file), scene())
    assert np.array_equal(decode_image(path), scene())
    assert np.array_equal(decode_image(content), scene())


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize(
    ("orientation", "as_stored"),
    [
        (1, lambda upright: upright),
        (2, lambda upright: upright[:, ::-1]),
        (3, lambda upright: upright[::-1, ::-1]),
        (4, lambda upright: upright[::-1]),
        (5, lambda upright: upright.swapaxes(0, 1)),
        (6, lambda upright: np.rot90(upright, 1)),
        (7, lambda upright: upright[::-1, ::-1].swapaxes(0, 1)),
        (8, lambda upright: np.rot90(upright, -1)),
    ],
)
def test_the_cameras_orientation_is_applied(kind: str, orientation: int, as_stored: object) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    stored = Image.fromarray(np.ascontiguousarray(as_stored(scene())))  # type: ignore[operator]
    assert np.array_equal(decode_image(saved(stored, kind, exif=exif, **options)), scene())


def test_a_damaged_orientation_does_not_cost_the_picture() -> None:
    content = saved(Image.fromarray(scene()), "PNG", exif=b"Exif\0\0no directory of tags")
    assert np.array_equal(decode_image(content), scene())


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("RGBA", (200, 100, 0, 255), (200, 100, 0)),
        ("RGBA", (200, 100, 0, 0), (255, 255, 255)),
        ("RGBA", (0, 0, 0, 51), (204, 204, 204)),
        ("LA", (0, 0), (255, 255, 255)),
        ("LA", (40, 255), (40, 40, 40)),
        ("1", 1, (255, 255, 255)),
        ("1", 0, (0, 0, 0)),
        ("L", 77, (77, 77, 77)),
        ("I;16", 65535, (255, 255, 255)),
        ("I;16", 257 * 100, (100, 100, 100)),
        ("I;16", 255, (255, 255, 255)),
        ("I;16", 16384, (64, 64, 64)),
    ],
)
def test_png_modes(mode: str, colour: int | tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert only_colour(decode_image(saved(Image.new(mode, (4, 3), colour), "PNG"))) == expected


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("CMYK", (0, 255, 255, 0), (255, 0, 0)),
        ("I;16B", 257 * 100, (100, 100, 100)),
        ("I", 65535, (255, 255, 255)),
        ("F", 1.0, (255, 255, 255)),
        ("F", 0.4, (102, 102, 102)),
        ("F", 200.0, (200, 200, 200)),
    ],
)
def test_tiff_modes(mode: str, colour: float | tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert only_colour(decode_image(saved(Image.new(mode, (4, 3), colour), "TIFF"))) == expected


def test_lab_is_converted_and_not_taken_for_rgb() -> None:
    red = Image.new("RGB", (4, 3), (200, 30, 30))
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    content = saved(ImageCms.profileToProfile(red, srgb, lab, outputMode="LAB"), "TIFF")
    assert np.abs(np.subtract(only_colour(decode_image(content)), (200, 30, 30))).max() <= 4


def test_ycbcr_of_a_tiff_is_converted() -> None:
    content = saved(Image.new("RGB", (16, 16), (200, 30, 30)).convert("YCbCr"), "TIFF")
    assert np.abs(np.subtract(only_colour(decode_image(content)), (200, 30, 30))).max() <= 4


def test_values_without_an_agreed_white_are_stretched() -> None:
    values = Image.fromarray(np.array([[-5.0, 1e38], [np.nan, 3e38]], dtype=np.float32))
    pixels = decode_image(saved(values, "TIFF"))
    assert pixels[:, :, 0].tolist() == [[0, 85], [0, 255]]


def test_a_transparent_palette_entry_becomes_white() -> None:
    palette = Image.new("P", (2, 1))
    palette.putpalette([0, 0, 0, 10, 200, 30])
    palette.putpixel((1, 0), 1)
    for kind in ("GIF", "PNG"):
        pixels = decode_image(saved(palette, kind, transparency=0))
        assert pixels.tolist() == [[[255, 255, 255], [10, 200, 30]]]


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_an_animation_the_first_frame_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if kind == "WEBP" else {}
    content = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert only_colour(decode_image(content)) == (255, 0, 0)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (20_000, 10), (10, 20_000)])
def test_odd_shapes_work(width: int, height: int) -> None:
    content = saved(Image.new("RGB", (width, height), (1, 2, 3)), "PNG")
    assert decode_image(content).shape == (height, width, 3)


# --- what is refused ------------------------------------------------------------------------------


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds no pixel: whoever decodes it fails otherwise."""
    fields = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + fields + struct.pack(">I", zlib.crc32(fields))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT"


def refusal(source: object, limits: ImageLimits | None = None) -> str:
    """The message of the refusal, checked for what no message may hold."""
    with warnings.catch_warnings(action="error"), pytest.raises(ImageError) as caught:
        decode_image(source, limits)  # type: ignore[arg-type]
    message = str(caught.value)
    assert message.startswith("expected ")
    assert "; got " in message
    for leak in ("\n", "/", "0x", "<", "PIL", "BytesIO", "Errno"):
        assert leak not in message
    return message


def test_not_an_image_is_refused() -> None:
    assert "none of these" in refusal(b"just some text, long enough for any header" * 9)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty.png"
    empty.touch()
    assert "0 bytes" in refusal(b"")
    assert "0 bytes" in refusal(empty)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP"])
def test_a_truncated_file_is_refused(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    content = saved(Image.fromarray(noise), kind)
    refusal(content[: len(content) // 2])


def test_paths_that_are_no_picture_are_refused(tmp_path: Path) -> None:
    assert "no file" in refusal(tmp_path / "missing.png")
    assert "folder" in refusal(tmp_path)
    assert "neither" in refusal(Path("/dev/null"))


@pytest.mark.parametrize("source", ["/etc/hostname", None, 7])
def test_a_source_of_another_type_is_refused(source: object) -> None:
    assert type(source).__name__ in refusal(source)


@pytest.mark.parametrize("width", [10_001, 11_000, 20_000, 200_000])
def test_a_picture_over_the_limit_is_refused_from_its_header(width: int) -> None:
    assert "at most 100,000,000 pixels" in refusal(png_header(width, 10_000))


def test_the_limit_is_a_setting_and_includes_its_own_value() -> None:
    content = saved(Image.fromarray(scene()), "PNG")
    assert decode_image(content, ImageLimits(max_pixels=54)).shape == (6, 9, 3)
    assert "9 × 6 = 54" in refusal(content, ImageLimits(max_pixels=53))


def test_pillows_own_limit_is_named_where_it_is_the_lower_one() -> None:
    high = ImageLimits(max_pixels=10**12)
    assert "at most 178,956,970 pixels" in refusal(png_header(200_000, 10_000), high)


def test_postscript_is_never_run() -> None:
    content = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
    assert "none of these" in refusal(content)


def test_a_closed_or_text_file_is_refused(tmp_path: Path) -> None:
    closed = BytesIO(b"x")
    closed.close()
    refusal(closed)
    text = tmp_path / "a.txt"
    text.write_text("hello")
    with text.open() as file:
        refusal(file)


# --- damaged files --------------------------------------------------------------------------------


def small_files() -> dict[str, bytes]:
    picture = Image.fromarray(scene())
    exif = Image.Exif()
    exif[0x0112] = 6
    return {
        "png": saved(picture, "PNG", exif=exif),
        "palette": saved(picture.quantize(8), "PNG", transparency=0),
        "jpeg": saved(picture, "JPEG", exif=exif),
        "cmyk": saved(picture.convert("CMYK"), "JPEG"),
        "gif": saved(picture, "GIF", save_all=True, append_images=[picture.rotate(180)]),
        "tiff": saved(picture, "TIFF", compression="tiff_lzw"),
        "deep": saved(picture.convert("I;16"), "TIFF"),
        "webp": saved(picture, "WEBP", exif=exif),
        "ico": saved(picture, "ICO", sizes=[(4, 4)]),
    }


FILES = small_files()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    content = bytearray(FILES[draw(st.sampled_from(sorted(FILES)))])
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(content) - 1))
        junk = draw(st.binary(min_size=0, max_size=6))
        content[place : place + draw(st.sampled_from([0, 1, len(junk), 8]))] = junk
        if len(content) < 2:
            break
    return bytes(content[: draw(st.integers(1, len(content)))] if draw(st.booleans()) else content)


@given(damaged())
@settings(max_examples=200, deadline=None)
def test_damaged_files_decode_or_are_refused_and_nothing_else(content: bytes) -> None:
    try:
        pixels = decode_image(content, SMALL)
    except ImageError as error:
        assert "\n" not in str(error)  # noqa: PT017 - either way is right
    else:
        assert pixels.dtype == np.uint8
        assert pixels.ndim == 3
        assert pixels.shape[2] == 3
        assert 0 < pixels.shape[0] * pixels.shape[1] <= SMALL.max_pixels
