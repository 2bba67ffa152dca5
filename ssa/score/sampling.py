"""All regions of a run for a sample: how sure their names are, and what was said of them."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssa.formats.example import Example
from ssa.review.amending import Amended
from ssa.review.decisions import fingerprint
from ssa.review.draw import is_sampled, rank_of
from ssa.review.verdicts import Verdict, verdicts
from ssa.score.guarantee import RIGHT, UNSEEN, WRONG, Population

_CODES: dict[Verdict | None, int] = {None: UNSEEN, "right": RIGHT, "wrong": WRONG, "unsure": WRONG}


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
            ranks.append(rank_of(example.key, fingerprint(one.proposal.rle)))
            codes.append(_CODES[said[place]])
            picture_of.append(len(pictures))
            place_of.append(place)
        pictures.append(example.key)
    population = Population(
        np.array(confidences, np.float64), np.array(ranks, np.uint64), np.array(codes, np.int8)
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
            if is_sampled(rank_of(example.key, fingerprint(one.proposal.rle))) == sampled:
                yield example, place, said == "right"
