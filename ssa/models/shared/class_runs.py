"""How many pixels of each class lie under each mask, counted on the host between the edges of both.

A label map is runs of one class down the columns, and so is a mask; where the map was made on a coarser grid,
its runs are found there. The work grows with the edges, not with the pixels, and the counts are exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ssa.masks.run_lengths import stretches
from ssa.models.shared.coarse import nearest
from ssa.types import RLE


@dataclass(frozen=True, slots=True)
class ClassRuns:
    """Runs (n,) of one class, down all columns one after the other: where each begins, its length and class.

    ``size_hw`` is the label map's.
    """

    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    class_ids: NDArray[np.int16]
    size_hw: tuple[int, int]

    @classmethod
    def of(cls, grid: NDArray[np.int16], size_hw: tuple[int, int]) -> ClassRuns:
        """Of a map of which each pixel takes what a grid (h, w) has where it lies, see ``nearest``."""
        height, width = size_hw
        columns = cv2.transpose(grid)  # numpy takes ten times as long down a map as along it
        begins = np.ones(columns.shape, np.bool_)
        np.not_equal(columns[:, 1:], columns[:, :-1], out=begins[:, 1:])
        column, row = np.divmod(np.flatnonzero(begins), len(grid))
        first_row = np.searchsorted(nearest(grid.shape[0], height), row)
        # Each column of the picture has the runs of one of the grid.
        own = nearest(grid.shape[1], width)
        counts = np.bincount(column, minlength=grid.shape[1])
        first_run = counts.cumsum() - counts
        before = counts[own].cumsum() - counts[own]
        run = np.arange(counts[own].sum()) + np.repeat(first_run[own] - before, counts[own])
        starts = first_row[run] + np.repeat(np.arange(width) * height, counts[own])
        lengths = np.diff(starts, append=height * width)
        return cls(starts, lengths, columns[column, row][run], size_hw)

    def counts(self, classes: int, masks: Sequence[RLE]) -> NDArray[np.int64]:
        """(M, classes): pixels of each class under each mask, for ids below ``classes``.

        Raises ``ValueError`` for a mask of another size.
        """
        counts = np.zeros((len(masks), classes), np.int64)
        for own, mask in zip(counts, masks, strict=True):
            if (mask.height, mask.width) != self.size_hw:
                raise ValueError(
                    f"expected masks of the label map's size {self.size_hw}; "
                    f"got {(mask.height, mask.width)}"
                )
            own += self._under(*stretches(mask), classes)
        return counts

    def _under(
        self, starts: NDArray[np.int64], stops: NDArray[np.int64], classes: int
    ) -> NDArray[np.int64]:
        """(classes,) of the pixels from each start to before each stop."""
        if not len(starts):
            return np.zeros(classes, np.int64)
        first, last = (np.searchsorted(self.starts, ends, "right") - 1 for ends in (starts, stops))
        seen = slice(first[0], last[-1] + 1)
        begun, ended = (
            np.bincount(runs - first[0], minlength=seen.stop - seen.start) for runs in (first, last)
        )
        covered = (begun - ended).cumsum() * self.lengths[seen]
        # What a stretch ends in, it has up to there; what it begins in, not before there.
        np.add.at(covered, last - first[0], stops - self.starts[last])
        np.subtract.at(covered, first - first[0], starts - self.starts[first])
        return np.bincount(self.class_ids[seen], covered, classes).astype(np.int64)
