"""Shares of cells: against counting on a grid so fine that cells and pixels are both made of its squares."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from ssa.masks.run_lengths import encode
from ssa.models.shared import cell_shares as module
from ssa.models.shared.cell_shares import cell_shares
from ssa.types import BoolMask

CPU = torch.device("cpu")
SIDES = st.integers(1, 12)


def plain(mask: BoolMask, rows: int, columns: int) -> NDArray[np.float64]:
    """Each pixel as rows × columns squares, then the mean of the squares of each cell."""
    height, width = mask.shape
    squares = np.kron(mask, np.ones((rows, columns)))
    return np.asarray(squares.reshape(rows, height, columns, width).mean((1, 3)))


@given(st.data(), SIDES, SIDES, SIDES, SIDES)
def test_same_as_counting_squares(
    data: st.DataObject, height: int, width: int, rows: int, columns: int
) -> None:
    some = st.lists(arrays.arrays(np.bool_, (height, width)), min_size=1, max_size=4)
    masks = data.draw(some)
    found = cell_shares([encode(mask) for mask in masks], (rows, columns), CPU).numpy()
    expected = np.stack([plain(mask, rows, columns) for mask in masks])
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_few_masks_at_a_time_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    masks = [encode(rng.random((30, 41)) < share) for share in (0.5, 0.1, 0.9, 0.0, 1.0)]
    whole = cell_shares(masks, (4, 6), CPU)
    monkeypatch.setattr(module, "NUMBERS_AT_ONCE", 2 * 41 * 4)
    assert torch.equal(cell_shares(masks, (4, 6), CPU), whole)


@pytest.mark.parametrize("at", [(0, 0), (2999, 1999), (1500, 77)])
def test_one_pixel_of_a_large_picture_has_its_share(at: tuple[int, int]) -> None:
    mask = np.zeros((3000, 2000), np.bool_)
    mask[at] = True
    shares = cell_shares([encode(mask)], (32, 32), CPU)
    assert shares.sum() == pytest.approx(32 * 32 / mask.size, rel=1e-3)
    assert (shares >= 0).all()


def test_no_masks_and_no_pixels_have_no_shares() -> None:
    empty = encode(np.zeros((5, 7), np.bool_))
    assert cell_shares([], (2, 3), CPU).shape == (0, 2, 3)
    assert not cell_shares([empty, empty], (2, 3), CPU).any()


def test_masks_of_two_pictures_are_refused() -> None:
    masks = [encode(np.ones(size, np.bool_)) for size in ((3, 4), (4, 3))]
    with pytest.raises(ValueError, match=r"masks of one picture; got sizes \[\(3, 4\), \(4, 3\)\]"):
        cell_shares(masks, (2, 2), CPU)
