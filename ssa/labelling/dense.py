"""Regions of any pictures before a dense ranker: picture by picture, each of which is looked at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ssa.pictures.regions import AnyRegions
from ssa.stages import DenseRanker
from ssa.types import RLE, ScoredLabel

Texts = Sequence[str]
Scores = tuple[ScoredLabel, ...]

REGIONS_AT_ONCE = 256
"""Regions that a dense ranker is asked for in one call: so often is progress told, and may a run end."""


def rank_densely(
    ranker: DenseRanker,
    regions: AnyRegions,
    indices: Sequence[int],
    candidates: Sequence[Texts],
    most: int | None = None,
) -> list[Scores]:
    """The ranking of each region among its own candidates; ``most`` of each, or all."""

    def rank(view: Any, masks: list[RLE], own: Sequence[Texts]) -> list[Scores]:
        return ranker.rank(view, masks, own, most)

    return _by_picture(ranker, rank, regions, indices, candidates)


def choose_densely(
    ranker: DenseRanker,
    regions: AnyRegions,
    indices: Sequence[int],
    candidates: Sequence[Texts],
) -> list[Scores]:
    """The share of each region's pixels that each of its candidates wins."""
    return _by_picture(ranker, ranker.choose, regions, indices, candidates)


def _by_picture(
    ranker: DenseRanker,
    ask: Callable[[Any, list[RLE], Sequence[Texts]], list[Scores]],
    regions: AnyRegions,
    indices: Sequence[int],
    candidates: Sequence[Texts],
) -> list[Scores]:
    """What ``ask`` says of all regions, in their order."""
    found: list[Scores] = []
    for picture, own in regions.by_picture(indices):
        # Kept with the picture, for whatever the next level of the tree or the next role asks.
        view = picture.once(("look", id(ranker)), ranker.look)
        masks = [picture.proposals[i].rle for i in own]
        found += ask(view, masks, candidates[len(found) : len(found) + len(own)])
    return found
