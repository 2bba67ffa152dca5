"""An arrangement of repeated things: a few kinds, each two to five times, for ``draw_scene``."""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from toyworld.compose import Spot, candidate, settle
from toyworld.recipes import Band

_TRIES: Final = 60
_FEWEST_COPIES: Final = 2
_MOST_COPIES: Final = 5
_COVERED: Final = 0.15
"""The greatest share of a thing's frame that others may cover: each must show what it is."""


def repeat(rng: random.Random, bands: Sequence[Band], width: float, height: float) -> list[Spot]:
    """Return the places of 2 to 4 kinds' things, 2 to 5 of each, farthest first.

    Fewer kinds where there is room for no more.
    """
    spots: list[Spot] = []
    wanted = rng.randint(2, 4)
    for order, band in _one_kind_each(rng, bands):
        kinds = {spot.kind for spot in spots}
        if len(kinds) < wanted and band.choices[0][0] not in kinds:
            spots = _with_copies(rng, spots, band, order, (width, height))
    return sorted(spots, key=lambda spot: spot.depth)


def _one_kind_each(rng: random.Random, bands: Sequence[Band]) -> list[tuple[int, Band]]:
    """Return a band for every kind of each band, with its place among the bands, in random order."""
    split = [
        (order, replace(band, choices=(choice,)))
        for order, band in enumerate(bands)
        for choice in band.choices
    ]
    rng.shuffle(split)
    return split


def _with_copies(
    rng: random.Random,
    spots: Sequence[Spot],
    band: Band,
    order: int,
    extent: tuple[float, float],
) -> list[Spot]:
    """Return copies of `spots` with things of the band's one kind; without, if only one fits."""
    before, after = ([replace(spot) for spot in spots] for _ in range(2))
    copies = rng.randint(_FEWEST_COPIES, _MOST_COPIES)
    for _ in range(_TRIES):
        spot = candidate(rng, band, order, *extent)
        if spot is not None and len(after) < len(before) + copies:
            spot.limit = _COVERED
            settle(spot, after)
    return after if len(after) >= len(before) + _FEWEST_COPIES else before
