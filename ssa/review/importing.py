"""Corrections that were made elsewhere → decisions: what is new, what is otherwise, and what is gone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ssa.errors import Fault, InputError
from ssa.formats.coco_reading import is_coco, read_coco
from ssa.formats.example import UNNAMED, Example
from ssa.formats.foreign import ForeignFile, ForeignPicture, ForeignRegion, PictureNames
from ssa.formats.label_studio import writable
from ssa.formats.label_studio_reading import is_label_studio, read_label_studio
from ssa.masks.run_lengths import decode
from ssa.review.amending import Amended
from ssa.review.decisions import Accepted, Added, Corrected, Decision, Piece, RegionRef, Rejected
from ssa.review.matching import matched
from ssa.review.replay import RegionNow
from ssa.types import RLE


@dataclass
class Report:
    """What an import found: pictures and regions by what became of them.

    A region may have both a new label and a new mask; ``accepted`` are those of the unchanged that nobody had
    decided on. ``faults`` are pictures that were left as they are, and why.
    """

    pictures: int = 0
    unchanged: int = 0
    accepted: int = 0
    labels: int = 0
    masks: int = 0
    added: int = 0
    rejected: int = 0
    faults: list[Fault] = field(default_factory=list)


def read_corrections(data: bytes) -> ForeignFile:
    """Read a file of corrections: Label Studio's export, or COCO instances (CVAT's COCO 1.0 among them).

    Raises ``InputError`` for any other file.
    """
    try:
        payload = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(
            "expected JSON of Label Studio or COCO; got no JSON; unpack it, if it is an archive"
        ) from error
    if is_label_studio(payload):
        return read_label_studio(payload)
    if is_coco(payload):
        return read_coco(payload)
    raise InputError(
        "expected Label Studio's export (JSON) or COCO instances, such as CVAT's `COCO 1.0`; got other JSON"
    )


class Import:
    """A file of corrections, held against pictures as they are now; ``report`` says what came of it."""

    def __init__(
        self, file: ForeignFile, names: Mapping[str, str], source: str, accept: bool = False
    ) -> None:
        """``names`` are our pictures' names with their keys; ``source`` is what the file is called.

        With ``accept``, somebody has looked at every region of the file: those that came back unchanged, and
        that nobody had decided on before, are accepted.
        """
        self.report = Report(faults=list(file.faults))
        self._source, self._accept = source, accept
        self._pictures = dict(self._known(file, PictureNames(names)))

    @property
    def keys(self) -> frozenset[str]:
        """The keys of the pictures that it speaks of."""
        return frozenset(self._pictures)

    def decisions(self, examples: Iterable[Example], amended: Amended) -> list[Decision]:
        """What brings the pictures to what the file has: nothing for what is as it was.

        A region that the file has no more is rejected, in pictures that it lists; one that is rejected
        already may be there or not.
        """
        found: list[Decision] = []
        for example in examples:
            picture = self._pictures.pop(example.key, None)
            if picture is not None:
                found += self._picture(example, picture, amended)
        return found

    def _known(
        self, file: ForeignFile, names: PictureNames
    ) -> Iterator[tuple[str, ForeignPicture]]:
        taken: dict[str, str] = {}
        for picture in file.pictures:
            key = names.find(picture.name)
            if key is None:
                self._leave(
                    picture, "expected a name that is one picture's; got one of none, or of several"
                )
            elif key in taken:
                self._leave(picture, f"expected each picture once; got it as {taken[key]!r} before")
            else:
                taken[key] = picture.name
                yield key, picture

    def _picture(
        self, example: Example, picture: ForeignPicture, amended: Amended
    ) -> list[Decision]:
        size = example.height, example.width
        if picture.size_hw not in (None, size):
            got = " × ".join(map(str, picture.size_hw or ()))
            self._leave(picture, f"expected the picture's size, {size[0]} × {size[1]}; got {got}")
            return []
        regions, others = amended.now(example).regions, picture.regions
        pairs = matched(regions, others, _is_called)
        ours, theirs = {i for i, _ in pairs}, {j for _, j in pairs}
        decisions = [
            decision
            for i, j in pairs
            for decision in self._changes(regions[i].ref(example.key), regions[i], others[j])
        ]
        new = [other for j, other in enumerate(others) if j not in theirs]
        gone = [
            one for i, one in enumerate(regions) if i not in ours and one.reviewed != "rejected"
        ]
        self.report.pictures += 1
        self.report.added += len(new)
        self.report.rejected += len(gone)
        decisions += [Added(example.key, Piece(one.mask, one.label)) for one in new]
        decisions += [Rejected(one.ref(example.key), f"not in {self._source}") for one in gone]
        return decisions

    def _changes(
        self, ref: RegionRef, region: RegionNow, other: ForeignRegion
    ) -> Iterator[Decision]:
        label = None if _is_called(region, other) else other.label
        mask = None if _same_pixels(region.mask, other.mask) else other.mask
        self.report.labels += label is not None
        self.report.masks += mask is not None
        if label is not None or mask is not None:
            yield Corrected(ref, label, mask)
            return
        self.report.unchanged += 1
        if self._accept and region.reviewed == "none":
            self.report.accepted += 1
            yield Accepted(ref, region.label)

    def _leave(self, picture: ForeignPicture, why: str) -> None:
        self.report.faults.append(Fault(picture.name, "import", f"{why}; it was left as it is"))


def _is_called(region: RegionNow, other: ForeignRegion) -> bool:
    """Whether a name came back as formats wrote it; one that was not given says nothing."""
    ours = UNNAMED if region.label is None else region.label
    return other.label in (None, ours, writable(ours))


def _same_pixels(mask: RLE, other: RLE) -> bool:
    """Whether two masks are the same; runs of no pixels may write one in several ways."""
    return mask == other or bool((decode(mask) == decode(other)).all())
