"""The regions that went worst, kept while pictures come by: with their masks, and where the picture is."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Literal

from ssa.masks.run_lengths import area
from ssa.score.regions import Pair, Region
from ssa.score.relations import Level, level_of, similarity

KEPT = 40
"""How many of the worst are kept."""

Kind = Literal["named wrong", "not found", "nothing there"]


@dataclass(frozen=True, slots=True)
class Case:
    """A region that went wrong. ``badness`` is 0 to 2, 0 for one that is right.

    A wrong name is as bad as it is unlike the true one, and more so the surer it was; what wasn't found, as
    far as the nearest region falls short of it; what is nothing, as sure as its name was. ``found`` is None
    where no region shares a pixel, ``true`` where nothing is there.
    """

    badness: float
    kind: Kind
    picture: str
    found: Region | None
    true: Region | None
    iou: float
    place: Callable[[Path], None] | None = field(compare=False, repr=False)

    @classmethod
    def of_true(
        cls, pair: Pair, true: Region, found: Region | None, iou: float, is_matched: bool
    ) -> Case:
        """Of a true region with its match, or with the found one that is nearest to it."""
        if not is_matched:
            return cls(1 - iou, "not found", pair.key, found, true, iou, pair.place)
        badness, label = 0.0, None if found is None else found.label
        if found is not None and true.label is not None:
            is_right = level_of(label, true.label) <= Level.SYNONYM
            badness = 0.0 if is_right else 1 - similarity(label, true.label) + _sureness(found)
        return cls(badness, "named wrong", pair.key, found, true, iou, pair.place)

    @classmethod
    def of_wrong(cls, pair: Pair, found: Region) -> Case:
        """Of a found region where nothing is."""
        return cls(_sureness(found), "nothing there", pair.key, found, None, 0.0, pair.place)

    @property
    def order(self) -> tuple[object, ...]:
        """The worst has the greatest; of equally bad ones the largest, then by picture and mask."""
        shown = self.true or self.found
        mask = "" if shown is None else shown.mask.counts
        return self.badness, 0 if shown is None else area(shown.mask), self.picture, mask


class Worst:
    """The ``KEPT`` worst of all cases that were offered."""

    def __init__(self, most: int = KEPT) -> None:
        self._most, self._heap, self._number = (
            most,
            list[tuple[tuple[object, ...], int, Case]](),
            count(),
        )

    def offer(self, case: Case) -> None:
        """Keep the case if it is among the worst so far."""
        if case.badness <= 0 or (
            len(self._heap) == self._most and case.badness < self._heap[0][2].badness
        ):
            return
        entry = (case.order, next(self._number), case)
        if len(self._heap) < self._most:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heappushpop(self._heap, entry)

    @property
    def cases(self) -> list[Case]:
        """The worst first."""
        return [case for *_, case in sorted(self._heap, reverse=True)]


def _sureness(region: Region) -> float:
    """How sure the label is, 0 to 1; a half where nothing says it."""
    sure = region.margin if region.confidence is None else region.confidence
    return 0.5 if sure is None else min(max(sure, 0.0), 1.0)
