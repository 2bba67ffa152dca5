"""What people made of annotations since they were found, as far as formats need to know it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from ssa.formats.example import Example


class Amendments(Protocol):
    """Changes to pictures on their way into formats; the annotations' own files stay as they are."""

    @property
    def digest(self) -> str:
        """A text that is another one whenever something may come out otherwise; "" for no change at all."""
        ...

    @property
    def stale(self) -> int:
        """How many decisions spoke of regions that are no longer there, in the pictures so far."""
        ...

    def labels(self, met: Iterable[str]) -> Iterable[str]:
        """All labels that there may be in the end, where the run ``met`` these."""
        ...

    def amended(self, example: Example) -> Example:
        """The picture as it is now, rejected regions and all."""
        ...


class AsFound:
    """Nothing was changed."""

    digest, stale = "", 0

    def labels(self, met: Iterable[str]) -> Iterable[str]:
        """The same."""
        return met

    def amended(self, example: Example) -> Example:
        """The same."""
        return example


AS_FOUND: Amendments = AsFound()
