"""Options of formats: what can't be is refused at once."""

import pytest

from ssa.errors import InputError
from ssa.formats.options import AS_USUAL, FormatOptions


@pytest.mark.parametrize("split", [0.0, 1.0, -0.5, 80.0, float("nan")])
def test_a_split_leaves_pictures_on_both_sides(split: float) -> None:
    with pytest.raises(InputError, match="--split must be more than 0 and less than 1; got"):
        FormatOptions(split=split)


@pytest.mark.parametrize("least", [-0.1, 1.5, float("nan"), 90])
def test_a_least_confidence_is_a_probability(least: float) -> None:
    with pytest.raises(InputError, match="--least-confidence must be 0 to 1; got"):
        FormatOptions(least_confidence=least)


def test_nothing_is_asked_for_by_itself() -> None:
    assert FormatOptions() == AS_USUAL
    assert FormatOptions(split=0.8).split == 0.8
