"""How masks are put together to be enlarged, and which of a model's answers are looked at."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssa.models.promptable import candidates
from ssa.types import BoxXYXY

BOXES = st.tuples(*[st.integers(0, 9)] * 4)


@given(st.lists(BOXES, max_size=12), st.integers(0, 200))
def test_groups_hold_every_mask_with_pixels_once(windows: list[BoxXYXY], pixels: int) -> None:
    held: list[int] = []
    for start, stop, (x0, y0, x1, y1) in candidates.window_groups(windows, pixels):
        for a, b, c, d in windows[start:stop]:
            assert x0 <= a < c <= x1
            assert y0 <= b < d <= y1
        assert stop == start + 1 or (stop - start) * (x1 - x0) * (y1 - y0) <= pixels
        held += range(start, stop)
    assert held == [i for i, (a, b, c, d) in enumerate(windows) if a < c and b < d]


@pytest.mark.parametrize(
    ("threshold", "wanted", "kept"),
    [
        (0.5, [True, True], [(0, 1), (1, 0)]),
        (0.5, [False, True], [(0, 1)]),
        (0.0, [True, True], [(0, 0), (0, 1), (1, 0), (1, 1)]),
        (0.9, [True, True], []),
    ],
)
def test_answers_rated_above_the_threshold_are_looked_at(
    threshold: float, wanted: list[bool], kept: list[tuple[int, int]]
) -> None:
    ious = torch.tensor([[0.5, 0.7], [0.9, -0.1]])
    points, outputs, rated = candidates.well_rated(ious, wanted, threshold)
    assert list(zip(points.tolist(), outputs.tolist(), strict=True)) == kept
    assert rated == [ious[at].item() for at in kept]


@given(st.integers(0, 2**32))
def test_boxes_go_around_all_that_is_true(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    flags = torch.rand((3, 6, 7), generator=generator) < 0.1
    for box, flag in zip(candidates.boxes_of(flags).tolist(), flags, strict=True):
        rows, columns = flag.nonzero(as_tuple=True)
        if not len(rows):
            assert box == [0, 0, 0, 0]
        else:
            ends = [int(columns.max()) + 1, int(rows.max()) + 1]
            assert box == [int(columns.min()), int(rows.min()), *ends]
