"""Names that others gave: what they tell of a file, how they are made safe to write under, and distinct."""

from __future__ import annotations

import hashlib
import os
import re

from ssa.formats.table import ENDINGS

# What Pillow may be asked to decode (ssa.pictures.decoding); any case.
PICTURE_SUFFIXES = (
    *(".avif", ".bmp", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg"),
    *(".png", ".ppm", ".tif", ".tiff", ".webp"),
)
MASKS_SUFFIX = ".json"

# A name may have 255 bytes on most file systems; the rest is room for endings.
LONGEST_PART, LONGEST_KEY = 200, 1000

# Control characters, the two line ends that only Unicode knows, halves of characters, and what has a
# meaning of its own, to us or to Windows.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff%\\\\]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_EMPTY, _CUT = "%", "%-"


def is_picture(name: str) -> bool:
    """Whether a name is a picture's, by its suffix."""
    return name.lower().endswith(PICTURE_SUFFIXES)


def may_hold_masks(name: str) -> bool:
    """Whether a name is that of JSON, by its suffix."""
    return name.lower().endswith(MASKS_SUFFIX)


def is_hidden(name: str) -> bool:
    """Whether a path's last part begins with a dot (".x", macOS's "._x.jpg"); "." and ".." don't count."""
    last = name.rpartition("/")[2]
    return last.startswith(".") and last not in (".", "..")


def safe_key(name: str) -> str:
    """``name`` as a relative path that can't leave the folder it is put in, different for different names.

    Every part between "/" is neither empty nor "." or "..", has at most ``LONGEST_PART`` bytes in UTF-8,
    and ends with neither space nor dot; the whole has at most ``LONGEST_KEY`` bytes. Plain names, spaces
    and all of Unicode stay as they are, but for folders that end as files of ours do ("a.json"). The rest
    is percent-encoded: ``%0A`` a byte, ``%u2028`` another character, ``%`` alone an empty part (the first
    part of "/a" is one). What is too long is cut, and ends with ``%-`` and a hash.
    """
    *folders, last = name.split("/")
    key = "/".join([*map(_safe_folder, folders), _safe_part(last)])
    return key if _bytes_in(key) <= LONGEST_KEY else _cut(key.replace("/", "%2F"), name)


def printable(name: str) -> str:
    """``name`` as UTF-8 can hold it: bytes that were no text, and halves of characters, become "\ufffd"."""
    return _SURROGATE.sub("\ufffd", name)


class SourceNames:
    """Gives each source a name of its own: the second "photos" is "photos-2".

    The same names in the same order are made distinct in the same way.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def distinct(self, name: str) -> str:
        """``name``, or ``name`` with the first number that makes it new; a picture's keeps its suffix."""
        stem, suffix = os.path.splitext(name) if is_picture(name) else (name, "")
        found, number = name, 2
        while found in self._taken:
            found, number = f"{stem}-{number}{suffix}", number + 1
        self._taken.add(found)
        return found


def _safe_folder(part: str) -> str:
    """A part that is no file; a folder "a.json" would stand where the annotations of "a" go."""
    safe = _safe_part(part)
    if not safe.lower().endswith(ENDINGS):
        return safe
    stem, _, ending = safe.rpartition(".")
    return _short(f"{stem}%2E{ending}", part)


def _safe_part(part: str) -> str:
    if not part:
        return _EMPTY
    safe = _UNSAFE.sub(lambda found: _encoded(found[0]), part)
    if safe[-1] in " .":
        safe = safe[:-1] + _encoded(safe[-1])
    return _short(safe, part)


def _encoded(character: str) -> str:
    """``%XX`` for ASCII and for a byte that was no text (Python reads it as U+DC80 to U+DCFF)."""
    code = ord(character)
    if code < 0x80:
        return f"%{code:02X}"
    return f"%{code - 0xDC00:02X}" if 0xDC80 <= code <= 0xDCFF else f"%u{code:04X}"


def _short(safe: str, name: str) -> str:
    return safe if _bytes_in(safe) <= LONGEST_PART else _cut(safe, name)


def _cut(safe: str, name: str) -> str:
    """As much of a safe part as there is room for, and a hash of the name it was made from."""
    mark = _CUT + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    start = safe.encode("utf-8")[: LONGEST_PART - len(mark)]
    return start.decode("utf-8", "ignore") + mark


def _bytes_in(text: str) -> int:
    return len(text.encode("utf-8"))
