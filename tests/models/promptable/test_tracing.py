"""Outlines against masks, and counts against numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from ssa.masks import run_lengths as masks
from ssa.models.promptable.tracing import count_above, traces

WINDOWS = arrays.arrays(
    np.bool_, st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 6))
)  # (M, h, w)
LEVEL = 0.5
CUDA = pytest.param(
    "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
)


def logits_of(flags: NDArray[np.bool_], device: str) -> torch.Tensor:
    """(M, h, w) → (M, w, h + 1): just above and at the level, and lowest under each column."""
    inside = math.nextafter(LEVEL, 1)
    columns = np.where(flags.transpose(0, 2, 1), np.float32(inside + 1e-6), np.float32(LEVEL))
    below = ((0, 0), (0, 0), (0, 1))
    return torch.from_numpy(np.pad(columns, below, constant_values=-np.inf)).to(device)


@pytest.mark.parametrize("device", ["cpu", CUDA])
@given(flags=WINDOWS, margins=st.tuples(*[st.integers(0, 2)] * 4))
def test_outlines_are_the_masks_in_the_picture(
    device: str, flags: NDArray[np.bool_], margins: tuple[int, int, int, int]
) -> None:
    left, top, right, bottom = margins
    found = traces(logits_of(flags, device), LEVEL, [(left, top)] * len(flags))
    assert len(found) == len(flags)
    for trace, mask in zip(found, flags, strict=True):
        picture = np.pad(mask, ((top, bottom), (left, right)))
        height, width = picture.shape
        assert trace.area_px == mask.sum()
        assert masks.encode_runs(trace.runs(height, width), height, width) == masks.encode(picture)
        if not len(trace):
            assert not mask.any()
            continue
        x0, y0, x1, y1 = trace.box
        assert (x0, y0, x1 - x0, y1 - y0) == masks.box_of(picture)


def test_no_windows_have_no_outlines() -> None:
    assert traces(torch.zeros(0, 3, 4), LEVEL, []) == []


@pytest.mark.parametrize("device", ["cpu", CUDA])
@given(flags=WINDOWS)
def test_pixels_above_are_counted_in_each_window(device: str, flags: NDArray[np.bool_]) -> None:
    counts = count_above(logits_of(flags, device), LEVEL)
    assert counts.tolist() == flags.sum((1, 2)).tolist()


def test_more_pixels_than_short_integers_hold_are_counted() -> None:
    assert count_above(torch.ones(1, 2, 70_000), LEVEL).tolist() == [140_000]
