"""The table of formats: a line each. A new format is a module in this room and a line here.

Nothing of a format is imported before it is written: whoever asks only what there is, or how files are
called, doesn't wait for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, cast

from ssa.errors import InputError
from ssa.files import PARTIAL
from ssa.formats.example import Exporter
from ssa.formats.options import FormatOptions

SA1B = "sa1b"
"""The format that is always there, of which the others are made."""


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    ``writer`` is the ``Exporter``, as "module:function" of this room; ``folder`` is where its files go, below
    the folder of results. ``endings`` are what it writes behind a picture's key or stem, as names of files;
    ``options`` are the fields of ``FormatOptions`` that it heeds (one that doesn't heed ``rejected`` always
    has those regions, and says so of each); ``needs`` are packages beyond the runtime's, which the extra of
    the format's name brings. ``former`` are files of its folder that earlier
    versions wrote and this one has elsewhere.
    """

    name: str
    writer: str
    folder: str
    endings: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    former: tuple[str, ...] = ()

    def check(self) -> None:
        """Raise ``InputError`` where a package is missing: better before a long run than at its end."""
        for package in self.needs:
            if not _is_there(package):
                raise InputError(
                    f"--format {self.name} needs {package}, which is not installed; run "
                    f"`uv sync --extra {self.name}` or `pip install {package}`"
                )

    def load(self) -> Exporter:
        """The function that writes it."""
        module, _, function = self.writer.partition(":")
        return cast(Exporter, getattr(import_module(f"ssa.formats.{module}"), function))

    def heeded(self, options: FormatOptions) -> Mapping[str, Any]:
        """Those of the options that change what it writes, by name."""
        return {name: getattr(options, name) for name in self.options}


# What leaves regions out, in formats to train with.
_CHOICE = ("rejected", "least_confidence")
_COCO: dict[str, Any] = {"options": ("link_images", *_CHOICE), "former": ("instances.json",)}
_CHOOSY: dict[str, Any] = {"options": _CHOICE}

ALWAYS = Format(SA1B, "", "annotations", endings=(".json",))
"""It needs no writer here: a run writes its files as they come."""

EXPORTED = (
    Format("coco", "coco:write_coco", "coco", **_COCO),
    Format("coco-polygons", "coco:write_coco_polygons", "coco-polygons", **_COCO),
    Format("panoptic", "panoptic:write_panoptic", "panoptic", endings=(".png",), **_CHOOSY),
    Format(
        "semantic-png",
        "semantic_png:write_semantic_png",
        "semantic-png",
        endings=(".png",),
        **_CHOOSY,
    ),
    Format(
        "yolo",
        "yolo:write_yolo",
        "yolo",
        endings=(".txt",),
        options=("link_images", "split", *_CHOICE),
    ),
    Format("parquet", "parquet:write_parquet", "parquet", needs=("pyarrow",)),
    Format("reviewed", "sa1b_reviewed:write_reviewed", "reviewed", endings=(".json",)),
    Format(
        "label-studio",
        "label_studio:write_label_studio",
        "label-studio",
        options=("picture_prefix", *_CHOICE),
    ),
)
"""Those that are made of it, in the order that help and errors name them."""

FORMATS = MappingProxyType({one.name: one for one in (ALWAYS, *EXPORTED)})
"""All by name."""

ENDINGS = tuple(
    dict.fromkeys((*(ending for one in FORMATS.values() for ending in one.endings), PARTIAL))
)
"""What is written for a key is called like it with one of these behind; a folder must not be in its place."""


def parse_formats(text: str) -> tuple[str, ...]:
    """The formats that ``text`` names, with commas between.

    Raises ``InputError`` for one that is none, or that needs a library which isn't there.
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        if name not in FORMATS:
            raise InputError(
                f"--format must be of {', '.join(FORMATS)}, with commas between; got {name!r}"
            )
        FORMATS[name].check()
    return names


def check_options(names: Iterable[str], options: FormatOptions) -> None:
    """Raise ``InputError`` for an option that none of the formats heeds."""
    heeded = {option for name in names for option in FORMATS[name].options}
    for field in fields(options):
        takers = [one.name for one in EXPORTED if field.name in one.options]
        is_given = getattr(options, field.name) != field.default
        if takers and is_given and field.name not in heeded:
            raise InputError(
                f"--{field.name.replace('_', '-')} belongs to --format {' or '.join(takers)}; "
                "name one of these, or leave it out"
            )


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ValueError:  # it was taken out of sys.modules
        return False
