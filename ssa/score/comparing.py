"""Two runs held against the same truth: differences, how far chance would move them, and what changed.

The interval is a paired bootstrap: pictures are drawn again with replacement, the same for both runs, and the
middle 95 % of the differences are told. Only pictures that both runs have count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssa.score.figures import RATIOS
from ssa.score.tally import NAMELESS, Tally

ROUNDS, SEED, INSIDE = 1000, 0, 0.95

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Change:
    """A figure of another run less that of the first, and the ends of the interval that it may lie in."""

    difference: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What another run has better or worse: changes by figure, and true regions named nearer or further."""

    pictures: int
    changes: dict[str, Change]
    better: int
    worse: int
    same: int


def compare(first: Tally, other: Tally, rounds: int = ROUNDS, seed: int = SEED) -> Comparison:
    """Hold two runs of the same truth against each other, in the pictures that both have."""
    keys = sorted(set(first.keys) & set(other.keys))
    places = [_places(tally, keys) for tally in (first, other)]
    sums = np.array(
        [
            [
                part[places[side]]
                for side, tally in enumerate((first, other))
                for part in tally.sums(name)
            ]
            for name in RATIOS
        ]
    )
    differences = _differences(sums.sum(-1))
    ends = _interval(sums, rounds, seed)
    steps = [_steps(first.levels[i], other.levels[j]) for i, j in zip(*places, strict=True)]
    nearer = np.concatenate([np.zeros(0, np.int64), *steps])
    return Comparison(
        pictures=len(keys),
        changes={
            name: Change(float(differences[row]), *map(float, ends[:, row]))
            for row, name in enumerate(RATIOS)
            if np.isfinite(differences[row])
        },
        better=int((nearer > 0).sum()),
        worse=int((nearer < 0).sum()),
        same=int((nearer == 0).sum()),
    )


def _places(tally: Tally, keys: list[str]) -> list[int]:
    places = {key: place for place, key in enumerate(tally.keys)}
    return [places[key] for key in keys]


def _differences(sums: Floats) -> Floats:
    """(..., figures) of (..., figures, 4): sum and what it is over, of the first run and of the other."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = sums[..., 2] / sums[..., 3] - sums[..., 0] / sums[..., 1]
    return found


def _interval(sums: Floats, rounds: int, seed: int) -> Floats:
    """(2, figures) the ends of the interval, of sums (figures, 4, pictures)."""
    random, pictures = np.random.default_rng(seed), sums.shape[-1]
    if not pictures:
        return np.full((2, len(sums)), np.nan)
    shares = np.full(pictures, 1 / pictures)
    drawn = np.array(
        [_differences(sums @ random.multinomial(pictures, shares)) for _ in range(rounds)]
    )
    ends = np.full((2, len(sums)), np.nan)
    for row, values in enumerate(drawn.T):
        known = values[np.isfinite(values)]  # a draw may have nothing that counts
        if len(known):
            ends[:, row] = np.quantile(known, [(1 - INSIDE) / 2, (1 + INSIDE) / 2])
    return ends


def _steps(first: bytes, other: bytes) -> NDArray[np.int64]:
    """How many levels each named true region is nearer in the other run."""
    ours, theirs = (np.frombuffer(levels, np.uint8).astype(np.int64) for levels in (first, other))
    steps: NDArray[np.int64] = (ours - theirs)[ours != NAMELESS]
    return steps
