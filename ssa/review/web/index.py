"""What is kept in memory of a data set: some sixty bytes a region, to queue and to gather them by."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssa.formats.example import Example
from ssa.review.decisions import RegionId, RegionRef
from ssa.review.replay import PictureNow
from ssa.review.web.turns import NEVER, Turns
from ssa.types import Annotation

ROW = np.dtype(
    [
        ("origin", "u8"),  # the fingerprint of the mask it was found with
        ("label", "i4"),  # a number of ``Index.labels``, -1 for none
        ("position", "i4"),  # among those that were found, -1 for one that a decision made
        ("turn", "i4"),  # in the sample, -1 for none
        ("cluster", "i4"),
        ("embedding", "i4"),  # its place among the embeddings, -1 for none
        ("margin", "f4"),  # NaN for none, as confidence
        ("confidence", "f4"),
        ("disagreement", "f4"),
        ("reviewed", "u1"),  # of REVIEWED
        ("looked_at", "?"),  # by somebody, on its own
    ]
)

REVIEWED = ("none", "accepted", "corrected", "rejected", "unsure")

NO_CLUSTER = -1


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """One picture's regions: ``values`` (n,) of ``ROW``, and their ids."""

    ids: tuple[RegionId, ...]
    values: NDArray[np.void]


EMPTY = Rows((), np.zeros(0, ROW))


class Index:
    """All regions of all pictures. Embeddings lie in a file of the system's for what is temporary."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = keys
        self.rows: list[Rows] = [EMPTY] * len(keys)
        self.labels: list[str] = []
        self._numbers: dict[str, int] = {}
        self._embeddings = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the index
        self._turns = Turns(len(keys))
        self._places: dict[int, int] = {}  # of embeddings, by picture: the first one's
        self._count = self._length = 0

    def take(self, number: int, example: Example, now: PictureNow) -> None:
        """Picture ``number`` is as ``now`` says; in ``example`` it is as it was found."""
        first = self._embedded(number, example)
        self._turns.take(number, example)
        values = np.zeros(len(now.regions), ROW)
        for row, region in zip(values, now.regions, strict=True):
            row["origin"] = int(region.origin, 16)
            row["label"] = -1 if region.label is None else self._number(region.label)
            row["reviewed"] = REVIEWED.index(region.reviewed)
            row["looked_at"] = region.was_looked_at
            row["position"] = -1 if region.position is None else region.position
            row["cluster"] = row["embedding"] = NO_CLUSTER
            row["margin"] = row["confidence"] = np.nan
            if region.position is not None:
                self._describe(row, example.annotations[region.position], region.position, first)
        self.rows[number] = Rows(tuple(one.id for one in now.regions), values)
        self._give_turns(number)

    def draw(self) -> None:
        """Draw the sample, once all pictures were taken."""
        self._turns.draw()
        for number in range(len(self.rows)):
            self._give_turns(number)

    def all(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.void]]:
        """Of all regions the picture's number, the place in it, and the row, (n,) each."""
        rows = list(self.rows)  # another thread may take a picture anew meanwhile
        counts = [len(one.ids) for one in rows]
        pictures = np.repeat(np.arange(len(counts)), counts)
        places = np.concatenate([np.arange(0), *map(np.arange, counts)])
        return pictures, places, np.concatenate([EMPTY.values, *(one.values for one in rows)])

    def ref(self, picture: int, place: int) -> RegionRef:
        """What a decision calls a region."""
        rows = self.rows[picture]
        return RegionRef(
            self.keys[picture], rows.ids[place], f"{rows.values['origin'][place]:016x}"
        )

    def number(self, label: str) -> int | None:
        """The number of a label that there is or was."""
        return self._numbers.get(label)

    def with_label(self, label: str) -> list[int]:
        """The pictures that have a region of this label."""
        number = self._numbers.get(label)
        return [i for i, one in enumerate(self.rows) if (one.values["label"] == number).any()]

    def embeddings(self) -> NDArray[np.float16]:
        """(n, length) of unit vectors, in a file that is read as far as it is asked for."""
        if not self._count:
            return np.zeros((0, 0), np.float16)
        self._embeddings.flush()
        shape = (self._count, self._length)
        return np.memmap(self._embeddings, np.float16, "r", shape=shape)

    def _give_turns(self, number: int) -> None:
        turns, values = self._turns.of(number), self.rows[number].values
        values["turn"] = NEVER
        if turns is not None and len(turns):
            # A picture that was annotated again may have more regions than were drawn of.
            found = (values["position"] >= 0) & (values["position"] < len(turns))
            values["turn"][found] = turns[values["position"][found]]

    def _describe(self, row: np.void, one: Annotation, position: int, first: int) -> None:
        evidence = one.evidence
        row["cluster"] = NO_CLUSTER if evidence.cluster_id is None else evidence.cluster_id
        if one.confidence is not None:
            row["confidence"] = one.confidence
        if evidence.margin is not None:
            row["margin"] = evidence.margin
        row["disagreement"] = disagreement(one)
        if first >= 0:
            row["embedding"] = first + position

    def _embedded(self, number: int, example: Example) -> int:
        """Where the picture's embeddings begin, -1 where not all its regions have one of the same length."""
        if number not in self._places:
            vectors = [embedding_of(one) for one in example.annotations]
            sound = [one for one in vectors if one is not None]
            lengths = {len(one) for one in sound} | ({self._length} if self._length else set())
            if not sound or len(sound) != len(vectors) or len(lengths) != 1:
                self._places[number] = -1
            else:
                self._places[number], self._length = self._count, lengths.pop()
                self._embeddings.seek(0, 2)
                self._embeddings.write(np.stack(sound).tobytes())
                self._count += len(sound)
        return self._places[number]

    def _number(self, label: str) -> int:
        if label not in self._numbers:
            self._numbers[label] = len(self.labels)
            self.labels.append(label)
        return self._numbers[label]


def embedding_of(annotation: Annotation) -> NDArray[np.float16] | None:
    """What the region looks like, as a unit vector; None where the record doesn't say."""
    said = annotation.evidence.embedding
    return None if said is None else np.asarray(said, np.float16)


def disagreement(annotation: Annotation) -> float:
    """How sure two voters are of different labels: the second one's share, 0 where all agree."""
    votes = sorted(annotation.evidence.votes, key=lambda vote: -vote.share)
    return max((one.share for one in votes if one.label != votes[0].label), default=0.0)
