"""What every format is made of: one annotated picture, without its pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Literal, Protocol

from ssa.errors import Fault
from ssa.formats.categories import Categories
from ssa.formats.options import FormatOptions
from ssa.masks.pruning import pruned
from ssa.types import Annotation

UNNAMED = "region"
"""The category of a mask without a name (``labels=none``)."""


Reviewed = Literal["accepted", "corrected", "rejected", "unsure", "none"]
"""What a person said of a region; "none" where nobody has looked."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a region is known by in its picture, whatever becomes of its place, and what was said of it.

    ``region`` is the ``id`` of its record, or the name that a decision gave to one that it made; ``is_said``
    is whether a person said it, and not what a promise allowed.
    """

    region: int | str
    reviewed: Reviewed = "none"
    is_said: bool = True


@dataclass(frozen=True, slots=True)
class Example:
    """One annotated picture: ``key`` names it ("photos/dog.jpg"), ``file_name`` is the picture's own name
    inside its source, sizes are in pixels. Masks are run lengths: nothing is decoded here. ``place``, where
    the picture is at hand, puts it at a path, with its folders; ``ValueError`` where it is no longer.
    ``marks`` are the annotations', one each, or none where all are as they were found (see ``marked``).
    """

    key: str
    file_name: str
    height: int
    width: int
    annotations: tuple[Annotation, ...]
    place: Callable[[Path], None] | None = field(default=None, compare=False, repr=False)
    marks: tuple[Mark, ...] = ()

    @property
    def marked(self) -> tuple[tuple[Annotation, Mark], ...]:
        """Each annotation with its mark; those without any are known by their positions."""
        marks = self.marks or tuple(map(Mark, range(len(self.annotations))))
        return tuple(zip(self.annotations, marks, strict=True))

    def without_rejected(self) -> Example:
        """The same without the regions that were rejected."""
        return self._having([mark.reviewed != "rejected" for _, mark in self.marked])

    def without_doubtful(self, least: float) -> Example:
        """The same without names whose confidence is less or unknown, but for those that a person said."""
        return self._having(
            [
                (mark.reviewed in ("accepted", "corrected") and mark.is_said)
                or (one.confidence or 0.0) >= least
                for one, mark in self.marked
            ]
        )

    def _having(self, flags: Sequence[bool]) -> Example:
        """The same with those annotations that have a true flag."""
        if all(flags):
            return self
        pairs, kept = self.marked, [i for i, flag in enumerate(flags) if flag]
        nodes = pruned([one.node for one in self.annotations], kept)
        annotations = (replace(pairs[i][0], node=node) for i, node in zip(kept, nodes, strict=True))
        return replace(self, annotations=tuple(annotations), marks=tuple(pairs[i][1] for i in kept))

    @property
    def picture_name(self) -> str:
        """The name of the picture's file; see ``picture_name_of``."""
        return picture_name_of(self.key, self.file_name)

    @property
    def picture_stem(self) -> str:
        """``picture_name`` without the picture's suffix, and with whatever dots come before it."""
        name = self.picture_name
        return name[: len(name) - len(PurePosixPath(self.file_name).suffix)]


def picture_name_of(key: str, file_name: str) -> str:
    """A picture's key as the name of its file: with the suffix of its own name, which keys may lack.

    One with given masks is called after its JSON: "sa/sa_1" is the key of "sa/sa_1.jpg".
    """
    own = PurePosixPath(file_name)
    has_suffix = key.lower().endswith(own.suffix.lower())
    # "x.jpg.jpg" with masks has the key "x.jpg".
    is_stem = key.rpartition("/")[2] == own.stem
    return key if has_suffix and not is_stem else key + own.suffix


def label_of(annotation: Annotation) -> str:
    """The mask's category."""
    return annotation.class_name if annotation.class_name is not None else UNNAMED


def link_image(example: Example, folder: Path) -> None:
    """Put the example's picture below ``folder`` as its ``picture_name``.

    Raises ``ValueError`` where it isn't at hand.
    """
    if example.place is None:
        raise ValueError("expected its picture at hand, to link to it; got annotations alone")
    example.place(folder / example.picture_name)


class Exporter(Protocol):
    """Writes all examples, in the order they come, under a folder of its own, and tells what it left out.

    It consumes the examples one by one and keeps none. Every file appears whole or not at all
    (``ssa.files``); the same examples and options give the same bytes. All labels are in the categories.
    """

    def __call__(
        self,
        examples: Iterable[Example],
        folder: Path,
        categories: Categories,
        options: FormatOptions = ...,
        /,
    ) -> list[Fault]:
        """See above."""
        ...
