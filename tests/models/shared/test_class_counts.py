"""Pixels of each class under each mask, counted from runs as they are from pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssa.masks.run_lengths import decode, encode, encode_runs
from ssa.models.shared import class_counts as module
from ssa.models.shared.class_counts import class_counts
from ssa.pictures.canvas import Masks

on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@given(
    size_hw=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    classes=st.integers(1, 12),
    share=st.sampled_from([0.0, 0.02, 0.5, 1.0]),
    count=st.integers(0, 5),
    seed=st.integers(0, 10_000),
    room=st.sampled_from([1, 2000, 2**25]),
)
def test_runs_count_what_pixels_do(
    size_hw: tuple[int, int], classes: int, share: float, count: int, seed: int, room: int
) -> None:
    """Whatever the masks, empty ones and full ones too, and however few classes there is room for."""
    chance = np.random.default_rng(seed)
    ids = chance.integers(0, classes, size_hw).astype(np.int16)
    masks = [chance.random(size_hw) < share for _ in range(count)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "TOTALS_AT_ONCE", room)
        counts = class_counts(torch.from_numpy(ids), classes, [encode(mask) for mask in masks])
    expected = [np.bincount(ids[mask], minlength=classes) for mask in masks]
    assert counts.tolist() == np.array(expected).reshape(count, classes).tolist()


@pytest.mark.parametrize(
    "runs", [[12, 0], [0, 0, 4, 6, 2], [3, 0, 4, 5], [0, 12], [12], [4, 8, 0, 0]]
)
def test_runs_of_no_pixel_count_nothing(runs: list[int]) -> None:
    """Others' files have them; of the picture's first and last pixel nothing may be read for them."""
    ids = np.arange(12, dtype=np.int16).reshape(3, 4) % 5
    mask = encode_runs(np.array(runs, np.int64), 3, 4)
    counts = class_counts(torch.from_numpy(ids), 5, [mask])
    assert counts[0].tolist() == np.bincount(ids[decode(mask)], minlength=5).tolist()


def test_masks_are_sent_once_for_all_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(0)
    masks = [encode(chance.random((9, 7)) < 0.5) for _ in range(3)]
    maps = [torch.from_numpy(chance.integers(0, 4, (9, 7)).astype(np.int16)) for _ in range(2)]
    plain = [class_counts(one, 4, masks) for one in maps]
    sent, times = module._sent, list[int]()
    monkeypatch.setattr(module, "_sent", lambda *to, **on: (times.append(1), sent(*to, **on))[1])
    together = Masks(masks)
    for one, counts in zip(maps, plain, strict=True):
        np.testing.assert_array_equal(class_counts(one, 4, together), counts)
    assert times == [1]


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected masks of the label map's size \(3, 4\)"):
        class_counts(torch.zeros(3, 4, dtype=torch.int16), 2, [encode(np.ones((4, 3), np.bool_))])


@on_a_gpu
def test_a_gpu_counts_the_same() -> None:
    chance = np.random.default_rng(0)
    ids = torch.from_numpy(chance.integers(0, 9, (40, 50)).astype(np.int16))
    masks = [encode(chance.random((40, 50)) < 0.3) for _ in range(7)]
    there = class_counts(ids.cuda(), 9, masks)
    np.testing.assert_array_equal(there, class_counts(ids, 9, masks))
