"""What was decided so far, less what was undone; picture by picture, for that is how it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ssa.review.decisions import Decision, Renamed, picture_of, pieces_of
from ssa.review.renames import Rename, Renames


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the file of decisions.

    ``number`` counts from 1; ``at`` is when (ISO 8601, UTC) and ``by`` who or what decided, in a few words.
    ``decisions`` were taken at once, and are undone at once. An entry with ``undoes`` holds none: it is
    that entry's number. ``request`` is what whoever asked for it calls it, "" for nothing: who asks again,
    since the answer got lost, is told what came of it.
    """

    number: int
    at: str
    by: str
    decisions: tuple[Decision, ...] = ()
    undoes: int | None = None
    request: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A decision about a picture, with its entry's number and who took it.

    ``first_made`` is the place of its first new region among all that the entry makes; ``together`` is how
    many decisions were taken at once.
    """

    number: int
    by: str
    decision: Decision
    first_made: int = 0
    together: int = 1


class History:
    """Entries in their order. What is undone counts as if it had never been."""

    def __init__(self) -> None:
        self._in_force: dict[int, Entry] = {}
        self._steps: dict[str, list[Step]] = {}
        self._renames: list[Rename] = []
        self._requests: dict[str, int] = {}

    def take(self, entry: Entry) -> None:
        """Add the next entry. An undoing of what isn't in force changes nothing."""
        if entry.request:
            self._requests[entry.request] = entry.number
        if entry.undoes is not None:
            self._in_force.pop(entry.undoes, None)
            return
        self._in_force[entry.number] = entry
        made = 0
        for decision in entry.decisions:
            picture = picture_of(decision)
            if picture is not None:
                together = len(entry.decisions)
                step = Step(entry.number, entry.by, decision, made, together)
                self._steps.setdefault(picture, []).append(step)
            elif isinstance(decision, Renamed):
                self._renames.append(Rename(entry.number, decision.old, decision.new))
            made += len(pieces_of(decision))

    def answered(self, request: str) -> int | None:
        """The number of the entry that a request brought about, an undoing too; None for one that is new."""
        return self._requests.get(request)

    def steps(self, picture: str) -> Iterator[Step]:
        """What was decided about the picture with this key and is in force, in order."""
        return (step for step in self._steps.get(picture, ()) if step.number in self._in_force)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Those in force, in order."""
        return tuple(self._in_force.values())

    @property
    def renames(self) -> Renames:
        """The renames in force."""
        return Renames(one for one in self._renames if one.number in self._in_force)

    def last(self, by: str | None = None) -> Entry | None:
        """The last entry in force, of one who decides or of all; None where there is none."""
        return next(
            (one for one in reversed(self._in_force.values()) if by is None or one.by == by), None
        )
