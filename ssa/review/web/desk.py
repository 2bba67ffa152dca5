"""Where decisions are taken: the folder's regions as they are now, and the file that takes what is decided.

Decisions are taken one after another. What others add to the file is taken in before anything is decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from threading import Lock

from ssa.errors import InputError
from ssa.formats.example import Example
from ssa.labelling.aliases import NO_ALIASES, Aliases
from ssa.review.amending import Amended
from ssa.review.decisions import (
    BY_PAGE,
    Added,
    Decision,
    Joined,
    RegionId,
    RegionRef,
    Renamed,
    picture_of,
)
from ssa.review.history import Entry
from ssa.review.log import DecisionLog
from ssa.review.replay import PictureNow
from ssa.review.web.index import Index
from ssa.review.web.results import Pictures


class Gone(Exception):
    """A decision speaks of a region that is no longer there, or not as it was shown."""


class Desk:
    """The index of all regions, kept true to the file of decisions."""

    def __init__(
        self,
        pictures: Pictures,
        log: DecisionLog,
        aliases: Aliases = NO_ALIASES,
        watch: Callable[[int], None] = lambda number: None,
    ) -> None:
        """Read all pictures once; ``watch`` hears how many there were so far."""
        self._pictures, self._log, self._aliases = pictures, log, aliases
        self._numbers = {key: i for i, key in enumerate(pictures.keys)}
        self._lock = Lock()
        self._amended = Amended(log.history, aliases)
        self._in_force = {one.number: one for one in log.history.entries}
        self.index = Index(pictures.keys)
        self.unreadable = 0
        for number in range(len(pictures.keys)):
            self._read(number)
            watch(number + 1)
        self.index.draw()

    def now(self, number: int) -> tuple[Example, PictureNow]:
        """A picture as it was found, and as it is now. Raises ``InputError`` where it can't be read."""
        example = self._pictures.example(number)
        return example, self._amended.now(example)

    def decide(self, decisions: Sequence[Decision], request: str = "") -> Entry:
        """Take decisions at once; they are on the disk when this comes back.

        Raises ``Gone`` where one doesn't fit what there is now, ``OutputError`` where the file takes no more;
        then none is taken.
        """
        with self._lock:
            self._log.refresh()
            self._catch_up()
            self._check(decisions)
            entry = self._log.append(decisions, BY_PAGE, request)
            self._catch_up()
        return entry

    def undo(self, request: str = "") -> Entry | None:
        """Undo what was decided last on a page, and never what was imported.

        The entry that was undone; None where nothing is left.
        """
        with self._lock:
            known = {one.number: one for one in self._log.history.entries}
            said = self._log.undo(BY_PAGE, request)
            self._catch_up()
        undone = None if said is None or said.undoes is None else said.undoes
        return None if undone is None else known.get(undone, said)

    def answered(self, request: str) -> int | None:
        """The entry that a request brought about before, to this server or to one that was killed."""
        self.refresh()
        return self._log.history.answered(request)

    def refresh(self) -> int:
        """Take in what others decided; the number of entries in force."""
        with self._lock:
            self._log.refresh()
            self._catch_up()
        return len(self._in_force)

    def pictures_of(self, decisions: Iterable[Decision]) -> list[int]:
        """The numbers of the pictures that decisions are about, in order."""
        keys = {picture_of(one) for one in decisions}
        return sorted(self._numbers[key] for key in keys if key in self._numbers)

    def _catch_up(self) -> None:
        in_force = {one.number: one for one in self._log.history.entries}
        changed = [
            decision
            for number in in_force.keys() ^ self._in_force.keys()
            for decision in (in_force.get(number) or self._in_force[number]).decisions
        ]
        self._in_force = in_force
        if not changed:
            return
        numbers = set(self.pictures_of(changed))
        if any(isinstance(one, Renamed) for one in changed):
            self._amended = Amended(self._log.history, self._aliases)
            for one in changed:
                if isinstance(one, Renamed):
                    numbers.update(self.index.with_label(one.old), self.index.with_label(one.new))
        for number in sorted(numbers):
            self._read(number)

    def _read(self, number: int) -> None:
        try:
            self.index.take(number, *self.now(number))
        except InputError:
            self.unreadable += 1

    def _check(self, decisions: Sequence[Decision]) -> None:
        known: dict[str, set[tuple[RegionId, str]]] = {}
        for one in decisions:
            key = picture_of(one)
            if key is None:
                continue
            if key not in known:
                known[key] = self._regions(key)
            if any((ref.id, ref.mask) not in known[key] for ref in _refs(one)):
                raise Gone

    def _regions(self, key: str) -> set[tuple[RegionId, str]]:
        """The regions of a picture with their masks' fingerprints, read anew: it may be annotated again."""
        number = self._numbers.get(key)
        if number is None:
            raise Gone
        self._read(number)
        rows = self.index.rows[number]
        origins = (f"{one:016x}" for one in rows.values["origin"].tolist())
        return set(zip(rows.ids, origins, strict=True))


def _refs(decision: Decision) -> tuple[RegionRef, ...]:
    if isinstance(decision, Joined):
        return decision.regions
    return () if isinstance(decision, Added | Renamed) else (decision.region,)
