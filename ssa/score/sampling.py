"""Which regions of a run may be in a sample, in what order, and what was said of them.

The draw is a hash of what a region is: no list has to be kept, another run of the same command draws the
same, and nobody who annotates or reviews can lean on it. Half of all regions are for samples, the others to
learn from: what a confidence was fitted on can't tell how good it is.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssa.formats.example import Example
from ssa.review.amending import Amended
from ssa.review.decisions import fingerprint
from ssa.review.verdicts import Verdict, verdicts
from ssa.score.guarantee import RIGHT, UNSEEN, WRONG, Population
from ssa.types import RLE

_CODES: dict[Verdict | None, int] = {None: UNSEEN, "right": RIGHT, "wrong": WRONG, "unsure": WRONG}


def rank_of(picture: str, mask: RLE) -> int:
    """A region's place in the draw: 64 bits that are as good as random, by its picture's key and its mask."""
    digest = hashlib.sha256(f"{picture}\0{fingerprint(mask)}".encode("utf-8", "surrogatepass"))
    return int.from_bytes(digest.digest()[:8], "little")


def is_sampled(rank: int) -> bool:
    """Whether a region of this rank is for samples; else it is to learn from."""
    return rank % 2 == 0


@dataclass(frozen=True, slots=True, eq=False)
class Census:
    """All regions of a run whose names have a confidence, some 30 bytes each.

    ``pictures`` are the keys of all pictures; ``picture_of`` (N,) and ``place_of`` (N,) say of each region
    which of these it is in, and its position there. ``untold`` regions have a name and no confidence.
    """

    population: Population
    pictures: tuple[str, ...]
    picture_of: NDArray[np.int32]
    place_of: NDArray[np.int32]
    untold: int

    def places(self, positions: NDArray[np.int64]) -> dict[str, list[int]]:
        """Regions of the population as the positions in their pictures, by the pictures' keys."""
        found: dict[str, list[int]] = {}
        for position in positions:
            key = self.pictures[self.picture_of[position]]
            found.setdefault(key, []).append(int(self.place_of[position]))
        return found


def census(examples: Iterable[Example], amended: Amended) -> Census:
    """Every region of pictures as they were found, and what was said of it since."""
    confidences, ranks, codes = array("d"), array("Q"), array("b")
    pictures: list[str] = []
    picture_of, place_of = array("i"), array("i")
    untold = 0
    for example in examples:
        said = verdicts(example, amended)
        for place, one in enumerate(example.annotations):
            if one.confidence is None:
                untold += one.class_name is not None
                continue
            confidences.append(one.confidence)
            ranks.append(rank_of(example.key, one.proposal.rle))
            codes.append(_CODES[said[place]])
            picture_of.append(len(pictures))
            place_of.append(place)
        pictures.append(example.key)
    drawn = np.array(ranks, np.uint64)
    population = Population(
        np.array(confidences, np.float64), drawn, drawn % 2 == 0, np.array(codes, np.int8)
    )
    own = np.array(picture_of, np.int32), np.array(place_of, np.int32)
    return Census(population, tuple(pictures), *own, untold)


def learnt_from(
    examples: Iterable[Example], amended: Amended, sampled: bool = False
) -> Iterator[tuple[Example, int, bool]]:
    """Reviewed names that are to learn from, or with ``sampled`` those that aren't.

    Each as its picture, its position there, and whether it is right; who was unsure has said nothing.
    """
    for example in examples:
        for place, said in enumerate(verdicts(example, amended)):
            one = example.annotations[place]
            if said not in ("right", "wrong") or one.class_name is None:
                continue
            if is_sampled(rank_of(example.key, one.proposal.rle)) == sampled:
                yield example, place, said == "right"
