"""Boxes as regions, and pairs of pictures of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from ssa.masks.run_lengths import encode
from ssa.score.regions import Pair, Region
from ssa.types import RLE

SIZE = 20, 30
"""Of every picture here, in pixels."""

Box = tuple[int, int, int, int]


def box(left: int, top: int, wide: int, high: int, size_hw: tuple[int, int] = SIZE) -> RLE:
    mask = np.zeros(size_hw, np.bool_)
    mask[top : top + high, left : left + wide] = True
    return encode(mask)


def region(where: Box, label: str | None = "dog", **fields: object) -> Region:
    return Region(box(*where), label, **fields)  # type: ignore[arg-type]


def pair(
    found: Sequence[Region],
    true: Sequence[Region],
    key: str = "a.png",
    is_judged: bool = False,
    place: Callable[[Path], None] | None = None,
) -> Pair:
    return Pair(key, *SIZE, tuple(found), tuple(true), is_judged, place)


# Five boxes apart from each other.
PLACES: tuple[Box, ...] = (
    (0, 0, 10, 4),
    (0, 5, 10, 4),
    (12, 0, 8, 8),
    (12, 10, 16, 5),
    (2, 16, 20, 3),
)
LABELS = ("dog", "couch", "car", "person", "traffic light")


def truth() -> list[Region]:
    """One region of each label."""
    return [region(place, label) for place, label in zip(PLACES, LABELS, strict=True)]
