"""Masks as pictures and as run lengths, and their boxes.

Masks are (H, W) bool. Boxes follow segment_anything and SA-1B: width and height are the distance from the
first to the last pixel, so a mask one pixel wide has width 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco

from ssa.types import RLE, BoolMask, BoxXYWH, BoxXYXY

# Five-bit digits: seven hold 35 bits, more than the 32 that COCO allows a run.
_LONGEST_NUMBER = 7


def encode(mask: BoolMask) -> RLE:
    """A mask (H, W) as compressed run lengths."""
    return _from_coco(coco.encode(np.asfortranarray(mask, dtype=np.uint8)))


def encode_runs(runs: NDArray[np.int64], height: int, width: int) -> RLE:
    """Compress plain runs (see ``runs_of``). Raises ``ValueError`` if they don't fill the picture."""
    _check_total(runs, height, width)
    return _from_coco(coco.frPyObjects({"size": [height, width], "counts": runs}, height, width))


def filling_runs(rle: RLE) -> NDArray[np.int64]:
    """Plain runs, as ``runs_of`` gives them. Raises ``ValueError`` unless they fill the picture."""
    runs = runs_of(rle)
    _check_total(runs, rle.height, rle.width)
    return runs


def decode(rle: RLE) -> BoolMask:
    """The mask (H, W). Raises ``ValueError`` when the runs are malformed or don't fill the picture."""
    return decode_runs(filling_runs(rle), rle.height, rle.width)


def decode_runs(runs: NDArray[np.int64], height: int, width: int) -> BoolMask:
    """The mask (H, W) of plain runs. Raises ``ValueError`` if they don't fill the picture."""
    _check_total(runs, height, width)
    inside = np.arange(len(runs)) % 2 == 1
    return np.ascontiguousarray(np.repeat(inside, runs).reshape(width, height).T)


def decode_part(rle: RLE, box_xyxy: BoxXYXY) -> BoolMask:
    """The mask inside a box of the picture, (bottom - top, right - left): only its columns are decoded.

    Raises ``ValueError`` as ``decode`` does.
    """
    left, top, right, bottom = box_xyxy
    runs = filling_runs(rle)
    ends = runs.cumsum()
    # Runs count pixels column by column, so whole columns are a stretch of them.
    start, stop = left * rle.height, right * rle.height
    first, last = np.searchsorted(ends, start, side="right"), np.searchsorted(ends, stop)
    inside = np.arange(first, last + 1) % 2 == 1
    lengths = np.diff(ends[first : last + 1].clip(max=stop), prepend=start)
    columns = np.repeat(inside, lengths).reshape(right - left, rle.height)
    return np.ascontiguousarray(columns[:, top:bottom].T)


def stretches(rle: RLE) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the mask is true, from (n,) to before (n,), in order; pixels are counted down the columns.

    No stretch is empty and none touch, whatever the runs. Raises ``ValueError`` as ``decode`` does.
    """
    runs, pixels = filling_runs(rle), rle.height * rle.width
    # A run of none lets two changes fall together, and they undo each other.
    changes, times = np.unique(runs.cumsum(), return_counts=True)
    changes = changes[(times % 2 == 1) & (changes < pixels)]
    if len(changes) % 2:
        changes = np.append(changes, pixels)
    return changes[::2], changes[1::2]


def stretches_in(rle: RLE, box_xyxy: BoxXYXY) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The same of the part of the mask that lies inside a box, counted in the box's own columns."""
    left, top, right, bottom = box_xyxy
    starts, stops = stretches(rle)
    (first_x, first_y), (last_x, last_y) = (
        np.divmod(one, rle.height) for one in (starts, stops - 1)
    )
    whole_columns = top == 0 and bottom == rle.height
    inside = (first_x >= left) & (last_x < right) & (first_y >= top) & (last_y < bottom)
    if not (inside & (whole_columns | (first_x == last_x))).all():
        return stretches(encode(decode_part(rle, box_xyxy)))
    high = bottom - top
    begin = (first_x - left) * high + first_y - top
    return begin, (last_x - left) * high + last_y - top + 1


def runs_of(rle: RLE) -> NDArray[np.int64]:
    """The plain runs: column by column, false and true pixels in turn, false first (perhaps 0 of them).

    The text holds numbers in digits of five bits (from the character "0" on, low digits first, a sixth bit
    where more follow, two's complement); from the fourth on each is the difference to the last but one.
    Read here and not by pycocotools, whose decoder trusts the text: runs that fall short leave it with
    uninitialised memory. Raises ``ValueError`` when the text is malformed.
    """
    digits = np.frombuffer(rle.counts.encode("ascii"), dtype=np.uint8).astype(np.int64) - 48
    ends = np.flatnonzero(digits & 32 == 0)
    lengths = np.diff(ends, prepend=-1)
    if not digits.size or digits.min() < 0 or digits.max() > 63 or ends[-1:] != digits.size - 1:
        raise ValueError("run lengths are not in COCO's compressed form")
    if lengths.max() > _LONGEST_NUMBER:
        raise ValueError("a run length is out of range")
    place = np.arange(digits.size) - np.repeat(ends - lengths + 1, lengths)
    runs = np.add.reduceat((digits & 31) << (5 * place), ends - lengths + 1)
    runs -= np.where(digits[ends] & 16, 1 << (5 * lengths), 0)
    runs[1::2] = np.cumsum(runs[1::2])
    runs[2::2] = np.cumsum(runs[2::2])
    return runs


def area(rle: RLE) -> int:
    """Pixels inside the region."""
    return int(runs_of(rle)[1::2].sum())


def box_of(mask: BoolMask) -> BoxXYWH:
    """The box around a mask, pixels: left, top, last column - left, last row - top; zeros if empty."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not columns.size:
        return (0.0, 0.0, 0.0, 0.0)
    (left, right), (top, bottom) = columns[[0, -1]], rows[[0, -1]]
    return (float(left), float(top), float(right - left), float(bottom - top))


def _check_total(runs: NDArray[np.int64], height: int, width: int) -> None:
    if runs.size and runs.min() < 0:
        raise ValueError(f"a run is {runs.min()} pixels long")
    if runs.sum() != height * width:
        raise ValueError(f"runs cover {runs.sum()} pixels, the picture has {height} x {width}")


def _from_coco(record: dict[str, Any]) -> RLE:
    height, width = record["size"]
    return RLE(int(height), int(width), record["counts"].decode("ascii"))
