"""Semantic maps as ADE20K has them: a PNG a picture, each pixel's value its category's id."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssa.drawing.colours import label_colour
from ssa.errors import Fault, InputError
from ssa.files import write_whole
from ssa.formats.categories import Categories
from ssa.formats.converting import each_converted
from ssa.formats.example import Example, label_of
from ssa.formats.label_map import encode_ids
from ssa.formats.options import AS_USUAL, FormatOptions
from ssa.masks.painting import paint

NO_MASK = 0
"""The value of a pixel that no mask has."""

BLACK = (0, 0, 0)

# The largest value that a grey PNG holds.
_MOST = 65_535


def write_semantic_png(
    examples: Iterable[Example],
    folder: Path,
    categories: Categories,
    options: FormatOptions = AS_USUAL,
) -> list[Fault]:
    """Write ``<key>.png`` under a folder; see ``Exporter``.

    A pixel has the category of the smallest mask on it (see ``ssa.masks.painting``), ``NO_MASK`` where there
    is none: as in ADE20K, where 0 is "other" and readers subtract 1. 8 bits a pixel and a palette for up to
    255 categories, else 16 bits of grey. Raises ``InputError`` for more than 65,535.
    """
    if len(categories) > _MOST:
        raise InputError(
            f"expected up to {_MOST:,} categories for a PNG of 16 bits; got {len(categories):,}; "
            "take another format, or a vocabulary of your own"
        )

    palette = [BLACK, *(label_colour(name) for name in categories.names)]

    def write(example: Example) -> None:
        data = encode_ids(_category_ids(example, categories), palette)
        write_whole(folder / f"{example.key}.png", data)

    faults: list[Fault] = []
    for _ in each_converted(examples, "semantic-png", categories, write, faults):
        pass
    return faults


def _category_ids(example: Example, categories: Categories) -> NDArray[np.int32]:
    """(H, W) the category of each pixel."""
    masks = [annotation.proposal.rle for annotation in example.annotations]
    ids = [categories.id_of(label_of(annotation)) for annotation in example.annotations]
    owners = paint(masks, example.height, example.width)
    # The owner -1 takes the last.
    return np.array([*ids, NO_MASK], dtype=np.int32)[owners]
