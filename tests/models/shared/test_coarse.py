from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ssa.models.shared.coarse import LONGEST_SIDE_COMPARED, MOST_PIXELS_COMPARED, grid_of

SIDES = st.integers(1, 20_000)


@given(SIDES, SIDES)
def test_small_pictures_keep_their_grid_and_large_ones_have_a_shorter_one(
    height: int, width: int
) -> None:
    rows, columns = grid_of(height, width)
    if height * width <= MOST_PIXELS_COMPARED:
        assert (rows, columns) == (height, width)
    else:
        assert 1 <= min(rows, columns) <= max(rows, columns) <= LONGEST_SIDE_COMPARED
        assert abs(rows - height * columns / width) <= 1 + height / width
