"""Semantic Segment Anything: a name for every region of a picture.

Importing this package loads no model library: start from ``ssa.loading`` (weights to engine) or
``ssa.engine`` (the steps themselves). ``ssa.to_supervision`` and ``ssa.to_fiftyone`` turn an annotated
picture into these libraries' objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ssa.formats.objects import to_fiftyone, to_supervision

__all__ = ["to_fiftyone", "to_supervision"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """The converters, loaded at their first use: they bring numpy and pycocotools."""
    if name in __all__:
        from ssa.formats import objects as converters

        return getattr(converters, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
