"""Labels that were renamed for good: what one of a certain time is called now."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rename:
    """From entry ``number`` on, what was called ``old`` is ``new``."""

    number: int
    old: str
    new: str


class Renames:
    """Renames in their order. One speaks of the labels that there are, and not of those that come later."""

    def __init__(self, renames: Iterable[Rename] = ()) -> None:
        self._renames = tuple(renames)
        self._numbers = [one.number for one in self._renames]
        self._known: dict[tuple[str, int, int], str] = {}

    def now(self, label: str, given: int = 0, until: int | None = None) -> str:
        """What ``label`` is called that entry ``given`` gave (0: the run), after entry ``until`` or all."""
        start = bisect_right(self._numbers, given)
        stop = len(self._numbers) if until is None else bisect_right(self._numbers, until)
        asked = (label, start, stop)
        if asked not in self._known:
            for one in self._renames[start:stop]:
                label = one.new if label == one.old else label
            self._known[asked] = label
        return self._known[asked]

    def aliases(self) -> dict[str, str]:
        """Each label that is called otherwise now, and how; by these, later runs can be told."""
        found = {one.old: self.now(one.old) for one in self._renames}
        return {old: new for old, new in found.items() if new != old}
