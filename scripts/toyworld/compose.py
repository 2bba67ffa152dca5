"""Where the objects of a scene go: chosen band by band, so that most of each stays in sight."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from toyworld.catalogue import CATALOGUE
from toyworld.recipes import Band

_TRIES: Final = 14
_FEWEST: Final = 3
_MOST: Final = 7

_FARNESS: Final = {"sun": 2, "cloud": 1}
"""How many bands farther than its own a kind lies: no bird flies behind the sun."""


@dataclass(slots=True)
class Spot:
    """One object's place: foot at (x, y), its depth (larger is nearer) and how much is covered."""

    kind: str
    ground: str
    x: float
    y: float
    size: float
    flip: int
    depth: float
    covered: float = 0.0
    limit: float = 0.3
    frame: tuple[float, float, float, float] = field(init=False)

    def __post_init__(self) -> None:
        """Work out the frame: left, top, right and bottom in units."""
        thing = CATALOGUE[self.kind]
        half, tall = 0.5 * thing.width * self.size, thing.height * self.size
        self.frame = (self.x - half, self.y - tall, self.x + half, self.y)


def _overlap(first: Spot, second: Spot) -> float:
    """Return the area (square units) that two frames share."""
    a, b = first.frame, second.frame
    wide = min(a[2], b[2]) - max(a[0], b[0])
    tall = min(a[3], b[3]) - max(a[1], b[1])
    return max(0.0, wide) * max(0.0, tall)


def _area(spot: Spot) -> float:
    left, top, right, bottom = spot.frame
    return (right - left) * (bottom - top)


def _covers(new: Spot, spots: Sequence[Spot]) -> list[tuple[Spot, float]] | None:
    """Return who is newly covered and by what share, or None if that would hide too much."""
    changes: list[tuple[Spot, float]] = []
    hidden = 0.0
    for spot in spots:
        shared = _overlap(new, spot)
        if not shared:
            continue
        if spot.depth < new.depth:
            share = shared / _area(spot)
            if spot.covered + share > spot.limit:
                return None
            changes.append((spot, share))
        else:
            hidden += shared / _area(new)
    if hidden > new.limit:
        return None
    return [*changes, (new, hidden)]


def settle(new: Spot, spots: list[Spot]) -> bool:
    """Add `new` to `spots` if that hides neither it nor another too much; say whether it was."""
    changes = _covers(new, spots)
    if changes is None:
        return False
    for spot, share in changes:
        spot.covered += share
    spots.append(new)
    return True


def candidate(
    rng: random.Random, band: Band, order: int, width: float, height: float
) -> Spot | None:
    """Return a random object for the band, or None if it would stick out of the picture."""
    kind = rng.choices([kind for kind, _ in band.choices], [weight for _, weight in band.choices])[
        0
    ]
    thing = CATALOGUE[kind]
    size = rng.uniform(thing.smallest, thing.largest)
    half = 0.5 * thing.width * size
    # Most objects lie inside the picture; some are cut by its left or right border.
    reach = half - (rng.uniform(0.3, 0.7) * half if rng.random() < 0.2 else -3.0)
    x = rng.uniform(reach, width - reach) if width > 2 * reach else 0.5 * width
    tall = thing.height * size
    top = max(band.top, 0.9 * tall)
    if top > band.bottom:
        if band.ground == "sky" or top > band.bottom + 0.2 * height:
            return None
        top = band.bottom
    y = rng.uniform(top, band.bottom)
    flip = rng.choice((-1, 1)) if thing.mirrored else 1
    limit = 0.6 if rng.random() < 0.15 else 0.3
    if band.ground == "sky":
        limit *= 0.5
    depth = 1000.0 * (order - _FARNESS.get(kind, 0)) + y
    return Spot(kind, band.ground, x, y, size, flip, depth, limit=limit)


def _add(
    rng: random.Random,
    spots: list[Spot],
    band: Band,
    order: int,
    extent: tuple[float, float],
) -> None:
    """Try to add one object of the band to `spots`."""
    for _ in range(_TRIES):
        spot = candidate(rng, band, order, *extent)
        if spot is None:
            continue
        if any(other.kind == spot.kind for other in spots) and rng.random() < 0.75:
            continue
        if settle(spot, spots):
            return


def compose(rng: random.Random, bands: Sequence[Band], width: float, height: float) -> list[Spot]:
    """Return 3 to 7 objects' places, farthest first (in odd cases fewer, where none fits)."""
    spots: list[Spot] = []
    order = list(enumerate(bands))
    rng.shuffle(order)  # so that no band's objects are always the ones left out
    for index, band in order:
        for _ in range(rng.randint(band.fewest, band.most)):
            if len(spots) < _MOST:
                _add(rng, spots, band, index, (width, height))
    for _ in range(6):
        if len(spots) < _FEWEST:
            index, band = rng.choice(order)
            _add(rng, spots, band, index, (width, height))
    return sorted(spots, key=lambda spot: spot.depth)
