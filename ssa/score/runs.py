"""What was found, and pairs of it with what is true: one picture at a time.

What a run found may come as its own annotations, or as a COCO instances file that stands for them. The truth
comes with it where people reviewed the run, else from elsewhere; see ``ssa.score.truth``.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ssa.errors import Fault, InputError
from ssa.formats.coco_reading import read_coco
from ssa.formats.example import Example
from ssa.json_fields import FieldError, float_of, is_list
from ssa.review.amending import Amended
from ssa.review.replay import RegionNow
from ssa.score.regions import Pair, Region, TruePicture, regions_of
from ssa.score.truth import Truth, foreign_region, once, without_crowds


@dataclass(frozen=True, slots=True)
class FoundPicture:
    """A picture as a run found it, by its key; size in pixels."""

    key: str
    height: int
    width: int
    regions: tuple[Region, ...]
    place: Callable[[Path], None] | None = field(default=None, compare=False, repr=False)


class FoundPictures:
    """The pictures of a run's annotations, as often as they are asked for."""

    def __init__(self, examples: Iterable[Example]) -> None:
        self._examples = examples

    def __iter__(self) -> Iterator[FoundPicture]:
        for one in self._examples:
            yield FoundPicture(one.key, one.height, one.width, regions_of(one), one.place)


def found_in_coco(payload: object) -> tuple[list[FoundPicture], list[Fault]]:
    """The pictures of a COCO instances file by their names, and those that can't be read.

    An annotation's ``confidence`` is that of its label. Raises ``InputError`` for another file, and for a
    confidence that is none.
    """
    file = read_coco(without_crowds(payload))
    confidences = _confidences(payload)
    named, faults = once([(one.name, one) for one in file.pictures])
    pictures = []
    for one in named.values():
        height, width = one.size_hw or (0, 0)
        regions = tuple(
            foreign_region(region, confidences.get(region.number)) for region in one.regions
        )
        pictures.append(FoundPicture(one.name, height, width, regions))
    return pictures, [*file.faults, *faults]


def _confidences(payload: object) -> dict[int | None, float]:
    rows = payload.get("annotations") if isinstance(payload, Mapping) else None
    found: dict[int | None, float] = {}
    for row in rows if is_list(rows) else ():
        value = row.get("confidence") if isinstance(row, Mapping) else None
        if value is not None and type(row.get("id")) is int:
            try:
                found[row["id"]] = float_of(value, "confidence")
            except FieldError as error:
                raise InputError(
                    f"expected each confidence as a number from 0 to 1; got {value!r} in annotation "
                    f"{row['id']}"
                ) from error
    return found


class Pairs:
    """Found pictures with their truth from elsewhere; ``faults`` and ``without_truth`` fill as it goes on.

    Pairs are called as the truth calls their pictures.
    """

    def __init__(
        self, found: Iterable[FoundPicture], names: Mapping[str, str], truth: Truth
    ) -> None:
        """``names`` are the found pictures' names with their keys."""
        self._found, self._truth = found, truth
        self._true, self.not_found = truth.of(names)
        self.faults: list[Fault] = [*truth.faults]
        self.without_truth = 0
        self.only: Container[str] | None = None

    @property
    def names(self) -> set[str]:
        """What the pictures are called that both have."""
        return {*self._true.values()}

    def __iter__(self) -> Iterator[Pair]:
        for one in self._found:
            name = self._true.get(one.key)
            if name is None:
                self.without_truth += 1
            elif self.only is None or name in self.only:
                try:
                    yield _pair(name, one, self._truth.pictures[name]())
                except InputError as error:
                    self.faults.append(Fault(name, "score", str(error)))


def _pair(name: str, found: FoundPicture, true: TruePicture) -> Pair:
    size = found.height, found.width
    sizes = {(one.mask.height, one.mask.width) for one in (*found.regions, *true.regions)}
    others = (sizes | {true.size_hw or size}) - {size}
    if others:
        height, width = min(others)
        raise InputError(
            f"expected the truth in the picture's size, {size[0]} × {size[1]}; got {height} × {width}; it "
            "was left out"
        )
    return Pair(name, *size, found.regions, true.regions, place=found.place)


class Reviewed:
    """Pictures of a run with what people said of their regions: those that somebody looked at, no others.

    Accepted and corrected regions are true, and so are those that people made; found regions that were
    rejected, split or joined are nothing true. Regions that nobody could tell, or that nobody looked at, are
    not there. What was accepted by its confidence, unseen, counts as not looked at. A label that was renamed
    is called by its new name in both: that was a choice of words and no error. Pairs are called as their
    pictures are.
    """

    def __init__(self, examples: Iterable[Example], amended: Amended) -> None:
        self._examples, self._amended = examples, amended
        self.faults: list[Fault] = []
        self.without_truth = 0
        self.not_found: list[str] = []
        self.only: Container[str] | None = None

    def __iter__(self) -> Iterator[Pair]:
        for one in self._examples:
            pair = self._pair(one)
            if not (pair.found or pair.true):
                self.without_truth += 1
            elif self.only is None or pair.key in self.only:
                yield pair

    def truth(self) -> Truth:
        """What is true of the reviewed regions, for another run; all of it is held."""
        pictures = {}
        for pair in self:
            # Ids of this run say nothing of another's.
            true = tuple(replace(one, id=None) for one in pair.true)
            pictures[pair.key] = _held(TruePicture((pair.height, pair.width), true))
        self.without_truth = 0
        return Truth("a review", pictures)

    def _pair(self, example: Example) -> Pair:
        now = self._amended.now(example).regions
        kept = {one.position: one for one in now if one.position is not None}
        found = tuple(
            self._called(region)
            for place, region in enumerate(regions_of(example))
            if place not in kept or _was_seen(kept[place])
        )
        true = tuple(
            Region(one.mask, one.label, one.id)
            for one in now
            if _was_seen(one) and one.reviewed != "rejected"
        )
        return Pair(
            example.picture_name, example.height, example.width, found, true, True, example.place
        )

    def _called(self, region: Region) -> Region:
        """With its name as it is now, and without its whole, whose place has changed."""
        label = None if region.label is None else self._amended.name_now(region.label)
        return replace(region, label=label, parent=None, has_place=False)


def _was_seen(region: RegionNow) -> bool:
    return region.reviewed != "unsure" and region.was_looked_at


def _held(true: TruePicture) -> Callable[[], TruePicture]:
    return lambda: true
