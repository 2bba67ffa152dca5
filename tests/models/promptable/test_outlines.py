"""Masks drawn by their crossings against the same maps enlarged whole."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssa.masks.run_lengths import decode
from ssa.models.promptable.candidates import boxes_of
from ssa.models.promptable.crops import Crop
from ssa.models.promptable.enlarge import Enlargement, Resizing
from ssa.models.promptable.outlines import outlined
from ssa.models.promptable.rating import Rated
from ssa.types import ExtentXYXY

LEVEL = 0.25
DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")),
]


def side(draw: st.DrawFn, device: str) -> Resizing:
    """From a few pixels, in one step or in two, to many or to fewer."""
    size, steps = draw(st.integers(1, 12)), []
    if draw(st.booleans()):
        resized = draw(st.integers(1, 30))
        steps.append((resized, draw(st.integers(1, resized))))
    last = draw(st.integers(1, 90))
    return Resizing.of(size, [*steps, (last, last)], torch.device(device))


@pytest.mark.parametrize("device", DEVICES)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_a_mask_is_what_lies_above_the_level(device: str, data: st.DataObject, seed: int) -> None:
    rows, columns = (data.draw(st.composite(side)(device)) for _ in range(2))
    enlargement = Enlargement(rows, columns)
    rng = np.random.default_rng(seed)
    small = rng.normal(size=(rows.size, columns.size)).astype(np.float32)
    small[rng.random(small.shape) < rng.choice([0.0, 0.5, 0.9])] = -1
    small = torch.from_numpy(small).to(device)
    height, width = len(rows.weights), len(columns.weights)
    whole = (0, 0, width, height)
    logits = enlargement.window(small[None], whole, below=-torch.inf)[0, :, :-1].mT.cpu().numpy()
    left, top = 3, 2
    crop = Crop(1, (left, top, left + width, top + height), (height + 5, width + 7))
    (box,) = boxes_of(small[None, : rows.weights.shape[1], : columns.weights.shape[1]] > LEVEL)
    if not (logits > LEVEL).any():
        return
    one = Rated(small, box, ExtentXYXY(whole), 1.0, 1.0, (0.0, 0.0), None)
    (trace,) = outlined([one], enlargement, LEVEL, crop)
    drawn = decode(trace.rle(*crop.image_hw))
    cut = drawn[top : top + height, left : left + width]
    assert drawn.sum() == cut.sum() > 0
    assert (abs(logits[cut != (logits > LEVEL)] - LEVEL) < 1e-4).all()


def test_nothing_chosen_is_nothing_drawn() -> None:
    rows = Resizing.of(4, [(9, 9)], torch.device("cpu"))
    crop = Crop(0, (0, 0, 9, 9), (9, 9))
    assert outlined([], Enlargement(rows, rows), LEVEL, crop) == []
