"""Seeds of training and evaluation scenes, from two ranges that can never meet."""

from typing import Final

TRAINING_SCENES: Final = 1 << 31
EVALUATION_SCENES: Final = 1 << 31


def training_seed(index: int) -> int:
    """Return the seed of training scene `index`: the lower half of the 32-bit range."""
    return _within(index, TRAINING_SCENES)


def evaluation_seed(index: int) -> int:
    """Return the seed of evaluation scene `index`: the upper half of the 32-bit range."""
    return TRAINING_SCENES + _within(index, EVALUATION_SCENES)


def _within(index: int, count: int) -> int:
    if not 0 <= index < count:
        raise ValueError(f"scene index {index} is outside 0 to {count - 1}")
    return index
