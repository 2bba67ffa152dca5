"""What comes of a picture: its annotations, or the reason why there are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ssa.errors import Fault
from ssa.sources import Item


@dataclass(frozen=True, slots=True)
class Annotated:
    """A picture that is done: the JSON to write, its distinct labels (first met first), how many masks."""

    key: str
    document: bytes
    labels: tuple[str, ...]
    masks: int


@dataclass(frozen=True, slots=True)
class Failed:
    """A picture that nothing came of."""

    key: str
    fault: Fault


Outcome = Annotated | Failed


@dataclass(frozen=True, slots=True)
class Group:
    """Pictures that go through the models together, known by a number that stays the same in every run.

    Which pictures are together decides the last bits of scores, so a group is done whole or not at all.
    """

    number: int
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class GroupDone:
    """A group and what came of each of its pictures, in order."""

    number: int
    outcomes: Sequence[Outcome]
