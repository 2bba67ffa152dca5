"""Label Studio's run lengths → masks: its own, which may hold values one by one, and ours.

``ssa.formats.brush_rle`` says what the format is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ssa.masks.run_lengths import encode
from ssa.types import RLE

_CHANNELS = 4
# A brush's edge may be smoothed: what covers half of a pixel covers it.
_LEAST_ALPHA = 128


def mask_of(data: bytes, height: int, width: int) -> RLE:
    """The mask (height, width), inside where alpha is at least half.

    Raises ``ValueError`` where the bytes hold another number of pixels, or end too early.
    """
    bits = np.unpackbits(np.frombuffer(data, dtype=np.uint8)) + ord("0")
    reader = _Bits(bits.astype(np.uint8).tobytes().decode("ascii"))
    count = reader.number(32)
    if count != height * width * _CHANNELS:
        raise ValueError(f"expected {height} × {width} pixels of four values; got {count} values")
    values, lengths = _runs(reader, count)
    alpha = np.repeat(values, lengths)[_CHANNELS - 1 :: _CHANNELS]
    return encode((alpha >= _LEAST_ALPHA).reshape(height, width))


def _runs(reader: _Bits, count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Values and how often each comes, ``count`` in all."""
    value_bits = reader.number(5) + 1
    if value_bits != 8:
        raise ValueError(f"expected values of 8 bits; got {value_bits}")
    length_bits = [reader.number(4) + 1 for _ in range(4)]
    values: list[int] = []
    lengths: list[int] = []
    done = 0
    while done < count:
        is_run = reader.number(1)
        length = reader.number(length_bits[reader.number(2)]) + 1
        if is_run:
            values.append(reader.number(value_bits))
            lengths.append(length)
        else:
            values.extend(reader.number(value_bits) for _ in range(length))
            lengths.extend([1] * length)
        done += length
    if done != count:
        raise ValueError(f"expected {count} values; got {done}")
    return np.array(values, np.uint8), np.array(lengths, np.int64)


class _Bits:
    """Numbers one after the other out of bits, the first the highest."""

    def __init__(self, bits: str) -> None:
        self._bits, self._at = bits, 0

    def number(self, size: int) -> int:
        """The next ``size`` bits. Raises ``ValueError`` where there are fewer."""
        stop = self._at + size
        if stop > len(self._bits):
            raise ValueError("the run lengths end too early")
        number = int(self._bits[self._at : stop], 2)
        self._at = stop
        return number
