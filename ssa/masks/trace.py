"""A mask as runs within the columns of its picture: what stays of it where no pixel is looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ssa.masks.run_lengths import encode_runs, stretches
from ssa.types import RLE, BoxXYXY, ExtentXYXY


@dataclass(frozen=True, slots=True)
class Trace:
    """A region as runs down the columns: run i holds the rows from ``starts[i]`` to before ``stops[i]``.

    ``columns``, ``starts`` and ``stops`` are (n,) int64, column by column, down each.
    """

    columns: NDArray[np.int64]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]

    @classmethod
    def of(cls, rle: RLE) -> Trace:
        """A mask's. Raises ``ValueError`` when its runs are malformed or don't fill the picture."""
        return cls.cut(*stretches(rle), rle.height)

    @classmethod
    def cut(cls, starts: NDArray[np.int64], stops: NDArray[np.int64], height: int) -> Trace:
        """Of stretches (n,) counted down all columns, one after the other: cut where a column ends."""
        first = starts // height
        counts = (stops - 1) // height - first + 1
        # 0, 1, 2, ... from each stretch's first column on.
        onward = np.arange(counts.sum()) - np.repeat(counts.cumsum() - counts, counts)
        columns = np.repeat(first, counts) + onward
        starts = np.repeat(starts, counts) - columns * height
        stops = np.repeat(stops, counts) - columns * height
        return cls(columns, starts.clip(min=0), stops.clip(max=height))

    @classmethod
    def filling(cls, box_xyxy: BoxXYXY) -> Trace:
        """All pixels of a box."""
        left, top, right, bottom = box_xyxy
        columns = np.arange(left, right)
        return cls(columns, np.full_like(columns, top), np.full_like(columns, bottom))

    @classmethod
    def joined(cls, traces: Sequence[Trace]) -> Trace:
        """The runs of several, at least one, in a row: of each as if it were alone in its picture."""
        parts = zip(*((one.columns, one.starts, one.stops) for one in traces), strict=True)
        return cls(*map(np.concatenate, parts))

    def __len__(self) -> int:
        """How many runs: 0 for an empty region."""
        return len(self.columns)

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Trace:
        """Some of the runs."""
        return Trace(self.columns[chosen], self.starts[chosen], self.stops[chosen])

    @property
    def area_px(self) -> int:
        """Pixels inside."""
        return int((self.stops - self.starts).sum())

    @property
    def box(self) -> ExtentXYXY:
        """First column and row, last column and row; the region must not be empty."""
        left, right = int(self.columns[0]), int(self.columns[-1])
        return ExtentXYXY((left, int(self.starts.min()), right, int(self.stops.max()) - 1))

    def ends(self, pitch: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where runs begin and end as one number each, column × ``pitch`` + row, which sorts them."""
        return self.columns * pitch + self.starts, self.columns * pitch + self.stops

    def runs(self, height: int, width: int) -> NDArray[np.int64]:
        """Plain run lengths in a picture of this size, false first; see ``ssa.masks.run_lengths.runs_of``."""
        starts, stops = self.ends(height)
        # What ends at the foot of a column and begins at the head of the next is one run.
        joined = np.flatnonzero(starts[1:] == stops[:-1])
        ends = np.stack([np.delete(starts, joined + 1), np.delete(stops, joined)], axis=1)
        runs = np.diff(ends.ravel(), prepend=0, append=height * width)
        return runs if runs[-1] else runs[:-1]

    def rle(self, height: int, width: int) -> RLE:
        """The mask in a picture of this size."""
        return encode_runs(self.runs(height, width), height, width)
