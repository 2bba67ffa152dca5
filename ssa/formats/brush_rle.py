"""Label Studio's run lengths: a picture of red, green, blue and alpha as a string of bits.

The format is that of thi.ng's rle-pack, which Label Studio's brush reads. A head says how many values there
are (32 bits), how many bits a value has (5, less 1) and how many bits each of four kinds of length has (4
each, less 1). Then come runs: a bit that is 1, the kind (2 bits), the length less 1, and the value. (A
bit that is 0 would begin values one by one, of which a mask has no use.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ssa.masks import run_lengths as masks
from ssa.types import RLE, BoolMask

# All four channels of a pixel have the same value; Label Studio looks at alpha alone.
_CHANNELS = 4
_INSIDE = 255
_VALUE_BITS = 8
# The kinds of length: enough for a speck, and for the sky.
_LENGTH_BITS = np.array([3, 4, 8, 16])
_LONGEST = 1 << int(_LENGTH_BITS[-1])

_HEAD_BITS = 32 + 5 + 4 * len(_LENGTH_BITS)


def brush_rle(rle: RLE) -> bytes:
    """A mask in Label Studio's run lengths, row by row. Raises ``ValueError`` as ``masks.decode`` does.

    ``ValueError`` too for a picture of 2^30 pixels or more: the format counts to 2^32 values.
    """
    count = rle.height * rle.width * _CHANNELS
    if count >= 1 << 32:
        raise ValueError(
            f"expected fewer than 2^30 pixels; got {rle.height} × {rle.width}; take another format"
        )
    lengths, inside = _split(*_runs_of_rows(masks.decode(rle)))
    return np.packbits(np.concatenate([_head(count), _body(lengths, inside)])).tobytes()


def _runs_of_rows(mask: BoolMask) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Lengths of the runs of a mask (H, W) read row by row, in values, and whether each is inside."""
    flat = mask.ravel()
    starts = np.flatnonzero(np.append(True, flat[1:] != flat[:-1]))
    return np.diff(starts, append=flat.size) * _CHANNELS, flat[starts]


def _split(
    lengths: NDArray[np.int64], inside: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The same runs with those cut into pieces that are too long for the longest kind of length."""
    pieces = -(-lengths // _LONGEST)
    last = pieces.cumsum() - 1
    split = np.full(int(pieces.sum()), _LONGEST)
    split[last] = lengths - (pieces - 1) * _LONGEST
    return split, np.repeat(inside, pieces)


def _head(count: int) -> NDArray[np.uint8]:
    """The bits before the first run."""
    number = count << 5 | (_VALUE_BITS - 1)
    for bits in _LENGTH_BITS.tolist():
        number = number << 4 | (bits - 1)
    digits = f"{number:0{_HEAD_BITS}b}"
    return np.frombuffer(digits.encode("ascii"), dtype=np.uint8) - ord("0")


def _body(lengths: NDArray[np.int64], inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The bits of the runs: each is a number, its bits moved to the left of 32 and then cut off."""
    kinds = np.searchsorted(1 << _LENGTH_BITS, lengths)
    length_bits = _LENGTH_BITS[kinds]
    numbers = ((4 | kinds) << length_bits | (lengths - 1)) << _VALUE_BITS
    numbers |= np.where(inside, _INSIDE, 0)
    sizes = 3 + length_bits + _VALUE_BITS
    at_left = (numbers << (32 - sizes)).astype(">u4")
    bits = np.unpackbits(at_left.view(np.uint8)).reshape(-1, 32)
    return bits[np.arange(32) < sizes[:, None]]
