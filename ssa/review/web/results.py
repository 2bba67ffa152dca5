"""What the page needs of a folder of results; ``ssa.dataset.reading`` has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ssa.formats.example import Example
from ssa.sources.item import Blob


class Pictures(Protocol):
    """Annotated pictures by their numbers, from 0."""

    @property
    def folder(self) -> str:
        """What the folder is known by: another one has another text, and it tells no path."""
        ...

    @property
    def keys(self) -> Sequence[str]:
        """The pictures' keys, in order."""
        ...

    def example(self, number: int, /) -> Example:
        """A picture's annotations. Raises ``InputError`` where they can't be read."""
        ...

    def picture(self, number: int, /) -> Blob:
        """Where the picture's own bytes are."""
        ...
