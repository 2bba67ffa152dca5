"""The memory that captions are written in: of one shape from the first word to the last.

A step that is recorded on it can be played back, for nothing in it ever moves.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Notes:
    """What queries look at: ``keys`` and ``values`` (B, heads, n, d), in one memory (2, B, heads, n, d)."""

    both: Tensor
    keys: Tensor
    values: Tensor

    @classmethod
    def on(cls, both: Tensor) -> Notes:
        """On this memory."""
        return cls(both, *both.unbind())


@dataclass(frozen=True, slots=True)
class Sheet:
    """The memory that B captions of at most T words are written in; each list has one item a layer.

    ``written`` are notes of the T words, ``seen`` those of the crop's P patches. ``words`` (B, T) int64 are
    the caption's tokens so far, ``last`` (B, 1) the latest, ``ended`` (B, 1) bool whether it is complete, and
    ``step`` (1,) int64 is which word comes now.
    """

    written: list[Notes]
    seen: list[Notes]
    words: Tensor
    last: Tensor
    ended: Tensor
    step: Tensor

    def __len__(self) -> int:
        return len(self.words)

    def first(self, rows: int) -> Sheet:
        """The same memory's first rows."""
        return Sheet(
            [Notes.on(one.both[:, :rows]) for one in self.written],
            [Notes.on(one.both[:, :rows]) for one in self.seen],
            self.words[:rows],
            self.last[:rows],
            self.ended[:rows],
            self.step,
        )
