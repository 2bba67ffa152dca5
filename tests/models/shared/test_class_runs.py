"""Pixels of each class under each mask, counted between edges as they are one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssa.masks.run_lengths import decode, encode, encode_runs
from ssa.models.shared.class_runs import ClassRuns
from ssa.models.shared.coarse import nearest

CELLS = st.integers(1, 12)
MORE = st.integers(0, 25)


@given(
    grid_hw=st.tuples(CELLS, CELLS),
    more_hw=st.tuples(MORE, MORE),
    classes=st.integers(1, 9),
    share=st.sampled_from([0.0, 0.02, 0.5, 1.0]),
    seed=st.integers(0, 10_000),
)
def test_edges_count_what_pixels_do(
    grid_hw: tuple[int, int], more_hw: tuple[int, int], classes: int, share: float, seed: int
) -> None:
    """On the picture's own grid and on coarser ones, empty masks and full ones too."""
    chance = np.random.default_rng(seed)
    grid = chance.integers(0, classes, grid_hw).astype(np.int16)
    height, width = grid_hw[0] + more_hw[0], grid_hw[1] + more_hw[1]
    each = grid[nearest(grid_hw[0], height)][:, nearest(grid_hw[1], width)]
    masks = [chance.random((height, width)) < share for _ in range(3)]
    runs = ClassRuns.of(grid, (height, width))
    assert runs.lengths.sum() == height * width
    expected = [np.bincount(each[mask], minlength=classes).tolist() for mask in masks]
    assert runs.counts(classes, [encode(mask) for mask in masks]).tolist() == expected


@pytest.mark.parametrize(
    "lengths", [[12, 0], [0, 0, 4, 6, 2], [3, 0, 4, 5], [0, 12], [12], [4, 8, 0, 0]]
)
def test_runs_of_no_pixel_count_nothing(lengths: list[int]) -> None:
    ids = np.arange(12, dtype=np.int16).reshape(3, 4) % 5
    mask = encode_runs(np.array(lengths, np.int64), 3, 4)
    counts = ClassRuns.of(ids, (3, 4)).counts(5, [mask])
    assert counts[0].tolist() == np.bincount(ids[decode(mask)], minlength=5).tolist()


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected masks of the label map's size \(3, 4\)"):
        ClassRuns.of(np.zeros((3, 4), np.int16), (3, 4)).counts(
            2, [encode(np.ones((4, 3), np.bool_))]
        )
