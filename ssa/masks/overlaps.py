"""How much of each other masks share, all pairs at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

from ssa.masks.run_lengths import area
from ssa.types import RLE


def ious(masks: Sequence[RLE], others: Sequence[RLE]) -> NDArray[np.float64]:
    """Shared pixels by pixels of either, 0 to 1: (masks, others). Two empty masks are the same: 1.

    All are of one picture, and sound: ``filling_runs`` takes them.
    """
    if not masks or not others:
        return np.zeros((len(masks), len(others)))
    with np.errstate(invalid="ignore"):
        found = np.asarray(
            coco.iou(list(map(_row, masks)), list(map(_row, others)), [0] * len(others)),
            np.float64,
        ).reshape(len(masks), len(others))
    empty = np.array([area(one) == 0 for one in masks])
    others_empty = np.array([area(one) == 0 for one in others])
    return np.where(empty[:, None] & others_empty[None, :], 1.0, np.nan_to_num(found))


def _row(rle: RLE) -> dict[str, object]:
    return {"size": [rle.height, rle.width], "counts": rle.counts.encode("ascii")}
