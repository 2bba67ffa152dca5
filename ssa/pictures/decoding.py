"""Anything Pillow reads → one upright RGB uint8 picture in sRGB, or one clear ``ImageError``."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from ssa.config import ImageLimits
from ssa.errors import ImageError
from ssa.pictures.colour import to_rgb
from ssa.pictures.repair import is_damaged, mended
from ssa.types import RGBImage

logger = logging.getLogger(__name__)

ImageSource = Path | BinaryIO | bytes

# Pillow hands EPS to Ghostscript, an interpreter: never with a stranger's file.
_REFUSED_FORMATS = frozenset({"EPS"})

_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_KINDS = "expected a picture (PNG, JPEG, WebP, GIF, TIFF, BMP or the like)"
_SAVE_AGAIN = "save it again as PNG or JPEG"


def decode_image(source: ImageSource, limits: ImageLimits | None = None) -> RGBImage:
    """Decode the first frame of a picture file to (H, W, 3) uint8 RGB, contiguous and writable.

    ``source`` is a path, an open binary file (read from its start) or the file's bytes. The camera's
    orientation and the colour profile are applied, and transparency is laid on white. A file that
    lacks nothing of its picture is read though it isn't sound (``ssa.pictures.repair``). Raises
    ``ImageError``, and nothing else, when there is no picture in it or the picture is over a limit.
    """
    limits = limits or ImageLimits()
    with _complaints(limits):
        try:
            with _opened(source) as image:
                return _decode(image, limits)
        except (ImageError, Image.DecompressionBombError):
            raise
        except Exception:  # a decoder fed with a damaged file may raise anything
            with _opened(_mended(source, limits)) as image:
                return _decode(image, limits)


def _mended(source: ImageSource, limits: ImageLimits) -> bytes:
    """The bytes of a file that only lacks what isn't the picture; else what was raised goes on."""
    content = _content(source)
    found = mended(content, limits.max_pixels)
    if found is None:
        if is_damaged(content[:16]):
            raise ValueError("the picture is damaged")
        raise
    logger.info("%s", found[1])
    return found[0]


def _content(source: ImageSource) -> bytes:
    if isinstance(source, bytes):
        return source
    if isinstance(source, Path):
        return source.read_bytes()
    source.seek(0)
    return source.read()


def image_pixels(image: Image.Image, limits: ImageLimits | None = None) -> RGBImage:
    """An opened Pillow image as ``decode_image`` gives its file; the image itself stays as it is."""
    limits = limits or ImageLimits()
    with _complaints(limits):
        return _decode(image, limits)


def checked_pixels(pixels: object, limits: ImageLimits | None = None) -> RGBImage:
    """A copy of an array, if it is (H, W, 3) uint8 and within the limits; else an ``ImageError``."""
    if not isinstance(pixels, np.ndarray):
        raise ImageError(
            "expected a picture as a path, a Pillow image or an RGB uint8 array; got a value of type "
            f"{type(pixels).__name__}; open it with Pillow"
        )
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise ImageError(
            "expected an RGB picture as a uint8 array of shape (H, W, 3); got "
            f"{pixels.dtype} of shape {pixels.shape}; convert it"
        )
    _check_size((pixels.shape[1], pixels.shape[0]), limits or ImageLimits())
    return np.array(pixels, order="C")


class _Quiet:
    """No warnings while any thread is inside.

    Filters are the process's: what one thread found and put back amid another's work would stay for good.
    """

    def __init__(self) -> None:
        self._lock, self._inside = Lock(), 0
        self._found = warnings.catch_warnings(action="ignore")

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._found = warnings.catch_warnings(action="ignore")
                self._found.__enter__()
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._found.__exit__(None, None, None)


_QUIET = _Quiet()


@contextmanager
def _complaints(limits: ImageLimits) -> Iterator[None]:
    """Whatever a decoder raises in the block becomes an ``ImageError`` of one line."""
    try:
        # Pillow warns of large or odd files; the first we check ourselves, the second is no news.
        with _QUIET:
            yield
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        raise ImageError(_too_large("more", limits)) from error
    except UnidentifiedImageError as error:
        raise ImageError(f"{_KINDS}; got a file that is none of these; {_SAVE_AGAIN}") from error
    except Exception as error:  # a decoder fed with a damaged file may raise anything
        logger.info("undecodable picture: %s", type(error).__name__)
        raise ImageError(
            f"expected a whole picture; got one that is cut short or damaged; {_SAVE_AGAIN}"
        ) from error


@contextmanager
def _opened(source: ImageSource) -> Iterator[Image.Image]:
    """The picture with its header read and its pixels still in the file."""
    if isinstance(source, Path):
        _check_path(source)
        with source.open("rb") as opened, _opened(opened) as image:
            yield image
        return
    file: BinaryIO = BytesIO(source) if isinstance(source, bytes) else source
    if not hasattr(file, "read"):
        raise ImageError(
            f"expected a picture file; got a {type(file).__name__}; send the file itself"
        )
    if _is_empty(file):
        raise ImageError(f"{_KINDS}; got an empty file of 0 bytes; send it again")
    with Image.open(file, formats=_formats()) as image:
        yield image


def _check_path(path: Path) -> None:
    """Refuse what is no readable file, without naming the path: callers may be strangers."""
    if path.is_file():
        if os.access(path, os.R_OK):
            return
        got, advice = "one that may not be read", "check its permissions"
    elif path.is_dir():
        got, advice = "a folder", "name one picture in it"
    elif path.exists():
        got, advice = "neither a file nor a folder", "name a picture file"
    else:
        got, advice = "a name with no file behind it", "check the name"
    raise ImageError(f"expected a picture file; got {got}; {advice}")


def _is_empty(file: BinaryIO) -> bool:
    """Whether a file has no bytes at all; one that can't seek is left to Pillow to judge."""
    if not file.seekable():
        return False
    file.seek(0, os.SEEK_END)
    size = file.tell()
    file.seek(0)
    return size == 0


def _formats() -> list[str]:
    Image.init()
    return [name for name in Image.ID if name not in _REFUSED_FORMATS]


def _decode(image: Image.Image, limits: ImageLimits) -> RGBImage:
    _check_size(image.size, limits)
    image.load()
    # Icon files may hold a picture of another size than their header says.
    _check_size(image.size, limits)
    pixels = np.array(_upright(to_rgb(image), _orientation(image)), dtype=np.uint8, order="C")
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.size == 0:
        raise ValueError(f"no RGB picture: {pixels.shape}")
    return pixels


def _check_size(size_wh: tuple[int, int], limits: ImageLimits) -> None:
    width, height = size_wh
    if width * height > limits.max_pixels:
        raise ImageError(_too_large(f"{width:,} × {height:,} = {width * height:,}", limits))
    if width < 1 or height < 1:
        raise ImageError(f"expected a picture of at least 1 × 1 pixel; got {width} × {height}")


def _too_large(got: str, limits: ImageLimits) -> str:
    most = min(limits.max_pixels, 2 * (Image.MAX_IMAGE_PIXELS or limits.max_pixels))
    return (
        f"expected a picture of at most {most:,} pixels; got {got}; "
        "make it smaller and send it again"
    )


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; upright (1) where damaged metadata says nothing usable."""
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # the pixels are fine, so a broken note beside them is no reason to refuse
        return 1


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    turn = _UPRIGHT.get(orientation)
    return image if turn is None else image.transpose(turn)
