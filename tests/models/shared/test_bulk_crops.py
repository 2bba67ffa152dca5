"""Crops resized together are those resized one by one, but for bytes that lay between two."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as vision

from ssa.models.shared import bulk_crops
from ssa.models.shared.pixels import PixelRecipe, middle
from ssa.pictures.canvas import Canvas, Crops
from ssa.types import BoxXYXY, RGBImage
from tests.models.spying import noise

CPU = torch.device("cpu")
PICTURES = [Canvas(noise(70, 110, seed=1)), Canvas(noise(64, 41, seed=2))]
on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def recipe(how: str, keeps_shape: bool, side: int = 16) -> PixelRecipe:
    """No normalising, so that what comes out are bytes over 255."""
    return PixelRecipe(side, InterpolationMode(how), (0.0,) * 3, (1.0,) * 3, keeps_shape)


@st.composite
def boxes(draw: st.DrawFn) -> tuple[Canvas, BoxXYXY]:
    canvas = draw(st.sampled_from(PICTURES))
    height, width = canvas.pixels.shape[:2]
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    return canvas, (
        left,
        top,
        draw(st.integers(left + 1, width)),
        draw(st.integers(top + 1, height)),
    )


def in_bytes(pixels: Tensor) -> Tensor:
    return (pixels * 255).round()


@given(
    chosen=st.lists(boxes(), min_size=1, max_size=6),
    how=st.sampled_from(["bilinear", "bicubic"]),
    keeps_shape=st.booleans(),
)
def test_together_as_one_by_one(
    chosen: list[tuple[Canvas, BoxXYXY]], how: str, keeps_shape: bool
) -> None:
    """Rounded once, where torch on a CPU rounds (and cuts off what overshoots) between the directions too."""
    crops = Crops([one for one, _ in chosen], [box for _, box in chosen])
    spec = recipe(how, keeps_shape)
    together = in_bytes(spec.batch(crops, CPU, in_bulk=True))
    for mine, one, apart in zip(together, crops, in_bytes(spec.batch(crops, CPU)), strict=True):
        assert (mine - exact(one, spec)).abs().max() <= 0.501
        assert (mine - apart).abs().mean() <= 1
        if how == "bilinear":
            assert (mine - apart).abs().max() <= 2


def exact(crop: RGBImage, spec: PixelRecipe) -> Tensor:
    """The square in float32, before any rounding, as torchvision makes it."""
    if spec.keeps_shape:
        left, top, right, bottom = middle((0, 0, crop.shape[1], crop.shape[0]))
        crop = crop[top:bottom, left:right]
    pixels = torch.from_numpy(np.array(crop)).permute(2, 0, 1).float()
    size = [16] if spec.keeps_shape else [16, 16]
    resized = vision.resize(pixels, size, interpolation=spec.interpolation, antialias=True)
    square: Tensor = vision.center_crop(resized, [16, 16])
    return square.clamp(0, 255)


def test_memory_bounds_how_many_at_once_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    canvas = PICTURES[0]
    crops = Crops([canvas] * 7, [(number, 2, 60 + number, 50 + number) for number in range(7)])
    spec = recipe("bicubic", keeps_shape=False)
    whole = spec.batch(crops, CPU, in_bulk=True)
    monkeypatch.setattr(bulk_crops, "NUMBERS_AT_ONCE", 16 * 330 * 2)
    pieces = spec.batch(crops, CPU, in_bulk=True)
    torch.testing.assert_close(whole, pieces, atol=1 / 255 + 1e-6, rtol=0)
    assert (whole != pieces).float().mean() < 0.01


def test_pictures_too_large_go_the_plain_way(monkeypatch: pytest.MonkeyPatch) -> None:
    crops = Crops([PICTURES[0]], [(3, 2, 60, 50)])
    spec = recipe("bicubic", keeps_shape=False)
    monkeypatch.setattr(bulk_crops, "MOST_PIXELS", 70 * 110 - 1)
    assert not bulk_crops.resizes_in_bulk(crops)
    assert torch.equal(spec.batch(crops, CPU, in_bulk=True), spec.batch(crops, CPU))


def test_lists_of_pixels_go_the_plain_way() -> None:
    spec = recipe("bilinear", keeps_shape=True)
    crops = [noise(30, 20), noise(9, 50)]
    assert torch.equal(spec.batch(crops, CPU, in_bulk=True), spec.batch(crops, CPU))


@on_a_gpu
@pytest.mark.parametrize("how", ["bilinear", "bicubic"])
def test_a_gpu_makes_the_same_bytes(how: str) -> None:
    canvas = PICTURES[0]
    crops = Crops([canvas] * 3, [(0, 0, 110, 70), (5, 6, 25, 9), (40, 1, 41, 70)])
    spec = recipe(how, keeps_shape=False)
    there = in_bytes(spec.batch(crops, torch.device("cuda"), in_bulk=True).cpu())
    assert (there - in_bytes(spec.batch(crops, CPU, in_bulk=True))).abs().max() <= 1
