"""Captions as records keep them: what the model said, in one line that can do no harm where it is shown."""

from __future__ import annotations

import unicodedata

LONGEST_CAPTION = 500
"""In characters."""

_INVISIBLE = ("Cc", "Cf", "Cn", "Co", "Cs")
"""Unicode's categories of control and format characters, and of what is none: escape codes, changes of the
writing's direction, halves of characters."""


def one_line(caption: str) -> str:
    """The caption without control characters, in single spaces; what is beyond 500 characters is cut off."""
    spaced = " ".join(caption.split())
    visible = "".join(one for one in spaced if unicodedata.category(one) not in _INVISIBLE)
    return " ".join(visible[:LONGEST_CAPTION].split())
