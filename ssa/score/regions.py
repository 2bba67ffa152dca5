"""What is scored: a picture's regions as they were found, and as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ssa.formats.example import Example
from ssa.types import RLE, Annotation


@dataclass(frozen=True, slots=True)
class Region:
    """A region: its mask, and its label, None for none.

    ``id`` is what its file calls it. ``score`` is what its maker thinks of the mask; only the order counts.
    ``confidence`` and ``margin`` say how sure the label is, 0 to 1, None where that is unknown. ``parent`` is
    the position of the whole that it is a part of, and ``has_place`` whether it is known if there is one;
    ``cluster`` its group of alike ones, -1 for none of them, None where regions were not grouped.
    """

    mask: RLE
    label: str | None = None
    id: int | str | None = None
    score: float = 1.0
    confidence: float | None = None
    margin: float | None = None
    parent: int | None = None
    has_place: bool = False
    cluster: int | None = None


@dataclass(frozen=True, slots=True)
class TruePicture:
    """What is true of a picture; its size in pixels, None where the file doesn't say it."""

    size_hw: tuple[int, int] | None
    regions: tuple[Region, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """A picture with what was found and what is true, masks all of its size.

    ``is_judged`` where each found region was looked at: one that is nothing true is wrong then, and not just
    unlisted. ``place`` puts the picture at a path, where it is at hand; see ``Example``.
    """

    key: str
    height: int
    width: int
    found: tuple[Region, ...]
    true: tuple[Region, ...]
    is_judged: bool = False
    place: Callable[[Path], None] | None = field(default=None, compare=False, repr=False)


def region_of(one: Annotation, number: int | str) -> Region:
    """A region that a run found, or that stands in a file like a run's; ``number`` is its ``id``."""
    return Region(
        mask=one.proposal.rle,
        label=one.class_name,
        id=number,
        score=one.proposal.predicted_iou,
        confidence=one.confidence,
        margin=one.evidence.margin,
        parent=None if one.node is None else one.node.parent,
        has_place=one.node is not None,
        cluster=one.evidence.cluster_id,
    )


def regions_of(example: Example) -> tuple[Region, ...]:
    """All regions of a picture, in order."""
    return tuple(region_of(one, mark.region) for one, mark in example.marked)
