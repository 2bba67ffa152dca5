"""Semantic Segment Anything: a name for every region of a picture.

    import ssa
    model = ssa.load()
    result = model.annotate("photo.jpg", vocabulary=["car", "tree: shrub, bush"])
    for region in result:
        print(region.class_name, region.area_px)

Importing this package loads no model library, ``ssa.load`` does. ``ssa.to_supervision`` and
``ssa.to_fiftyone`` turn an annotated picture into these libraries' objects.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ssa.api.model import Model, load
    from ssa.api.result import Region, Result
    from ssa.formats.objects import to_fiftyone, to_supervision

__all__ = ["Model", "Region", "Result", "load", "to_fiftyone", "to_supervision"]
__version__ = "0.1.0"

_HOMES = {
    "Model": "ssa.api.model",
    "Region": "ssa.api.result",
    "Result": "ssa.api.result",
    "load": "ssa.api.model",
    "to_fiftyone": "ssa.formats.objects",
    "to_supervision": "ssa.formats.objects",
}


def __getattr__(name: str) -> Any:
    """What ``__all__`` names, loaded at its first use: it brings numpy and Pillow."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names too, though they aren't loaded yet."""
    return sorted({*globals(), *__all__})
