"""Windows of enlarged maps against torch's own resizes of the whole."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from ssa.models.promptable import enlarge
from ssa.models.promptable.enlarge import Enlargement, Resizing

SIZES = st.integers(1, 40)


@st.composite
def enlargements(draw: st.DrawFn) -> tuple[tuple[int, int], list[tuple[int, int, int, int]]]:
    """A small map's size, and steps: the size resized to and the size kept of it."""
    small = draw(SIZES), draw(SIZES)
    steps = []
    for _ in range(draw(st.integers(1, 2))):
        height, width = draw(SIZES), draw(SIZES)
        steps.append((height, width, draw(st.integers(1, height)), draw(st.integers(1, width))))
    return small, steps


def built(small: tuple[int, int], steps: list[tuple[int, int, int, int]]) -> Enlargement:
    rows = Resizing.of(small[0], [(h, kept) for h, _, kept, _ in steps], torch.device("cpu"))
    columns = Resizing.of(small[1], [(w, kept) for _, w, _, kept in steps], torch.device("cpu"))
    return Enlargement(rows, columns)


def resized(maps: Tensor, steps: list[tuple[int, int, int, int]]) -> Tensor:
    for height, width, rows, columns in steps:
        maps = F.interpolate(maps[:, None], (height, width), mode="bilinear")[:, 0]
        maps = maps[:, :rows, :columns]
    return maps


@given(enlargements(), st.data())
def test_a_window_is_the_resized_maps(
    sizes: tuple[tuple[int, int], list[tuple[int, int, int, int]]], data: st.DataObject
) -> None:
    small, steps = sizes
    maps = torch.randn(3, *small, generator=torch.Generator().manual_seed(0))
    whole = resized(maps, steps)
    (y0, y1), (x0, x1) = (
        sorted(data.draw(st.sets(st.integers(0, n), min_size=2, max_size=2)))
        for n in whole.shape[1:]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(enlarge, "LINES_AT_ONCE", data.draw(st.integers(1, 50)))
        window = built(small, steps).window(maps, (x0, y0, x1, y1), below=-7.0)
    assert (window[..., -1] == -7).all()
    torch.testing.assert_close(window[..., :-1].mT, whole[:, y0:y1, x0:x1])


@given(enlargements(), st.data())
def test_reach_is_all_that_a_box_changes(
    sizes: tuple[tuple[int, int], list[tuple[int, int, int, int]]], data: st.DataObject
) -> None:
    small, steps = sizes
    (y0, y1), (x0, x1) = (
        sorted(data.draw(st.sets(st.integers(0, n), min_size=2, max_size=2))) for n in small
    )
    maps = torch.zeros(1, *small)
    maps[:, y0:y1, x0:x1] = 1
    changed = resized(maps, steps)[0].nonzero().numpy()
    ((left, top, right, bottom),) = built(small, steps).reach(np.array([[x0, y0, x1, y1]]))
    if not len(changed):
        assert right <= left or bottom <= top or _shrinks(small, steps)
        return
    (first_y, first_x), (last_y, last_x) = changed.min(0), changed.max(0)
    assert left <= first_x <= last_x < right
    assert top <= first_y <= last_y < bottom
    if not _shrinks(small, steps):
        assert (left, top, right, bottom) == (first_x, first_y, last_x + 1, last_y + 1)


def _shrinks(small: tuple[int, int], steps: list[tuple[int, int, int, int]]) -> bool:
    """Then pixels are skipped, and a box may hold none but those."""
    sizes = [small, *((rows, columns) for _, _, rows, columns in steps)]
    to = [(height, width) for height, width, _, _ in steps]
    return any(h > height or w > width for (h, w), (height, width) in zip(sizes, to, strict=False))


def test_a_size_s_matrix_is_made_once_and_can_be_learnt_through() -> None:
    with torch.inference_mode():
        made = Resizing.of(3, [(70, 60)], torch.device("cpu"))
    assert Resizing.of(3, ((70, 60),), torch.device("cpu")) is made
    assert Resizing.of(3, [(70, 59)], torch.device("cpu")) is not made
    small = torch.ones(1, 3, requires_grad=True)
    (small @ made.weights.T).sum().backward()
    assert small.grad is not None
    torch.testing.assert_close(small.grad[0], made.weights.sum(0))


def test_what_is_cut_off_needs_no_small_pixels() -> None:
    half = Enlargement(*[Resizing.of(8, [(64, 32), (100, 100)], torch.device("cpu"))] * 2)
    # The last pixel kept lies between the fourth and the fifth small one.
    assert half.small_hw == (5, 5)
