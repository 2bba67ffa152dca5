"""Files that strict decoders refuse though every pixel is in them: the same picture as a sound file.

In: a whole file's bytes. Out: bytes that Pillow reads, or None where nothing here helps. No pixel is made up:
a JPEG is only given the end it lacks if what would follow makes no difference, and of a PNG only notes
beside the picture are left out, as libpng does with those whose checksum is wrong.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO

import numpy as np
from PIL import Image

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8\xff"
_JPEG_END = b"\xff\xd9"

# Neither the ends of a byte nor of a code word are alike in what may be read from these.
_NOISE = bytes((number * 73 + 31) % 251 + 1 for number in range(251)) * 4

# The start of a frame, baseline to progressive, and of a scan.
_FRAMES, _SCAN = frozenset({0xC0, 0xC1, 0xC2}), 0xDA
_MARKER = re.compile(rb"\xff[\xc0\xc1\xc2\xda]")

# Text of any length: image generators write their whole workflow, which Pillow takes for a bomb.
_TEXTS = frozenset({b"tEXt", b"zTXt", b"iTXt"})


def mended(content: bytes, most_pixels: int) -> tuple[bytes, str] | None:
    """The file as a sound one, and what was wrong; None where it isn't of these kinds."""
    if content.startswith(PNG_SIGNATURE):
        return _without_notes(content)
    if content.startswith(JPEG_SIGNATURE):
        return _with_end(content, most_pixels)
    return None


def _with_end(content: bytes, most_pixels: int) -> tuple[bytes, str] | None:
    """A JPEG with its end marker, if every row was there without: then noise before it changes nothing.

    Where rows are missing, a decoder reads zeros in the one file and noise in the other. Where whole
    scans are, as at the end of a progressive one, so are their headers.
    """
    if not _has_all_scans(content):
        return None
    whole = content.removesuffix(b"\xff") + _JPEG_END
    longer = content.removesuffix(b"\xff") + _NOISE + _JPEG_END
    pixels = [_pixels(one, most_pixels) for one in (whole, longer)]
    if pixels[0] is None or pixels[1] is None or not np.array_equal(pixels[0], pixels[1]):
        return None
    return whole, "the JPEG has no end marker; all its rows are there"


def _has_all_scans(content: bytes) -> bool:
    """Whether a JPEG's scans give every coefficient of every component to its last bit (ITU-T T.81)."""
    components: dict[int, list[int]] = {}
    for marker, segment in _segments(content):
        if marker in _FRAMES:
            components = {segment[6 + 3 * n]: [1] * 64 for n in range(segment[5])}
        elif marker == _SCAN:
            count = segment[0]
            first, last, low_bit = (
                segment[1 + 2 * count],
                segment[2 + 2 * count],
                segment[3 + 2 * count],
            )
            for n in range(count):
                missing = components[segment[1 + 2 * n]]
                missing[first : last + 1] = [low_bit & 15] * (last + 1 - first)
    return bool(components) and not any(map(any, components.values()))


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Each whole marker segment: its code and its bytes after the length."""
    for match in _MARKER.finditer(content, 2):
        place = match.end()
        length = int.from_bytes(content[place : place + 2])
        if length >= 2 and place + length <= len(content):
            yield content[place - 1], content[place + 2 : place + length]


def _pixels(content: bytes, most_pixels: int) -> np.ndarray | None:
    """The samples of a JPEG as they are; None where there are none, or too many."""
    try:
        with Image.open(BytesIO(content), formats=["JPEG"]) as image:
            if image.width * image.height > most_pixels:
                return None
            return np.asarray(image)
    except Exception:  # a decoder fed with a damaged file may raise anything
        return None


def _without_notes(content: bytes) -> tuple[bytes, str] | None:
    """A PNG without its texts, and without optional chunks whose checksum is wrong; None if it has none."""
    left_out: set[str] = set()
    kept = [PNG_SIGNATURE]
    for name, chunk in _chunks(content):
        optional = name[:1].islower()
        if name in _TEXTS or (optional and not _is_sound(chunk)):
            left_out.add(name.decode("ascii", "replace"))
        else:
            kept.append(chunk)
        if name == b"IEND":
            break
    if not left_out:
        return None
    return b"".join(kept), f"left out of the PNG: {', '.join(sorted(left_out))}"


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each chunk's name and its bytes, with length and checksum; the last may be cut short."""
    place = len(PNG_SIGNATURE)
    while place + 8 <= len(content):
        end = place + 12 + int.from_bytes(content[place : place + 4])
        yield content[place + 4 : place + 8], content[place:end]
        place = end


def _is_sound(chunk: bytes) -> bool:
    length = int.from_bytes(chunk[:4])
    return len(chunk) == length + 12 and zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:])


def is_damaged(head: bytes) -> bool:
    """Whether a file that nobody can open began as a picture: then it is damaged, not of another kind."""
    begins: Callable[[bytes], bool] = head.startswith
    return any(begins(one) for one in (PNG_SIGNATURE, JPEG_SIGNATURE, b"GIF87a", b"GIF89a"))
