from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.nn import functional
from torchvision.transforms.v2 import InterpolationMode

from ssa.models.shared import coarse
from ssa.models.shared.pixels import (
    PixelRecipe,
    middle,
    resize_bilinear,
    resize_picture,
    upload,
)
from ssa.pictures.decoding import decode_image
from ssa.types import RGBImage
from tests.models.shared.test_bulk_crops import exact
from tests.models.spying import ODD_SIZES_HW, noise

CPU = torch.device("cpu")
MEAN, STD = (0.5, 0.4, 0.3), (0.2, 0.3, 0.4)
CROPS = [noise(*size, seed=i) for i, size in enumerate([*ODD_SIZES_HW, (80, 200), (300, 64)])]
STREET = decode_image(Path(__file__).parents[3] / "examples" / "street.png")
STREETS = [STREET, STREET[100:400, 200:260], STREET[:9, :700], STREET[50:60, 50:60]]


def spec(keeps_shape: bool = False, how: str = "bicubic") -> PixelRecipe:
    return PixelRecipe(32, InterpolationMode(how), MEAN, STD, keeps_shape)


@pytest.mark.parametrize(
    ("processor_class", "resample"),
    [(transformers.BlipImageProcessor, 3), (transformers.ViTImageProcessor, 2)],
)
def test_same_pixels_as_transformers_own_processor(processor_class: type, resample: int) -> None:
    processor = processor_class(
        size={"height": 32, "width": 32}, resample=resample, image_mean=MEAN, image_std=STD
    )
    theirs = processor(images=CROPS, input_data_format="channels_last", return_tensors="pt")
    mine = PixelRecipe.of(processor).batch(CROPS, CPU)
    torch.testing.assert_close(mine, theirs["pixel_values"], atol=1e-5, rtol=0)


@pytest.mark.parametrize("how", ["bilinear", "bicubic"])
@pytest.mark.parametrize(("crops", "most"), [(STREETS, 2), (CROPS, 8)], ids=["street", "edges"])
def test_much_what_pillow_makes(how: str, crops: list[RGBImage], most: int) -> None:
    pixels = spec(how=how).batch(crops, CPU)
    seen = (pixels * torch.tensor(STD).view(3, 1, 1) + torch.tensor(MEAN).view(3, 1, 1)) * 255
    for mine, crop in zip(seen.permute(0, 2, 3, 1).numpy(), crops, strict=True):
        theirs = Image.fromarray(crop).resize((32, 32), Image.Resampling[how.upper()])
        off = np.abs(mine - np.asarray(theirs))
        assert off.max() < most + 0.01
        assert off.mean() < 0.15


@pytest.mark.parametrize("how", [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC])
def test_large_pictures_are_resized_nearly_as_by_pillow(
    monkeypatch: pytest.MonkeyPatch, how: Image.Resampling
) -> None:
    """The bound brought down to the street's size; noise on it, for edges that smooth pictures lack."""
    chance = np.random.default_rng(0)
    large = STREET.repeat(2, axis=0).repeat(2, axis=1).astype(np.float32)
    large = (large + chance.normal(0, 20, large.shape)).clip(0, 255).astype(np.uint8)
    size_hw = (256, 256 * large.shape[1] // large.shape[0])
    expected = np.asarray(Image.fromarray(large).resize(size_hw[::-1], how))
    np.testing.assert_array_equal(resize_picture(large, size_hw, how), expected)
    monkeypatch.setattr(coarse, "MOST_PIXELS_COMPARED", 1000)
    monkeypatch.setattr(coarse, "LONGEST_SIDE_COMPARED", 100)
    found = resize_picture(large, size_hw, how)
    off = np.abs(found.astype(int) - expected)
    assert 0 < off.mean() < 1 / 50
    assert off.max() == 1


def test_a_batch_is_its_crops_one_by_one() -> None:
    together = spec().batch(CROPS, CPU)
    alone = torch.cat([spec().batch([crop], CPU) for crop in CROPS])
    torch.testing.assert_close(together, alone, atol=0, rtol=0)


def test_keeping_the_shape_keeps_the_middle() -> None:
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40] = 255
    pixels = spec(keeps_shape=True).batch([wide], CPU)[0]
    white = (torch.ones(3) - torch.tensor(MEAN)) / torch.tensor(STD)
    torch.testing.assert_close(pixels[:, :, 4:-4], white.view(3, 1, 1).expand(3, 32, 24))


@pytest.mark.parametrize("size_hw", [(1, 20_001), (20_000, 3), (5, 45)])
def test_the_middle_of_a_long_crop_is_its_middle(size_hw: tuple[int, int]) -> None:
    height, width = size_hw
    left, top, right, bottom = middle((7, 3, 7 + width, 3 + height))
    assert min(right - left, bottom - top) == min(size_hw)
    assert max(right - left, bottom - top) <= 8 * min(size_hw) + 1
    assert (left + right, top + bottom) == (14 + width, 6 + height)


def test_a_crop_of_usual_shape_is_left_alone() -> None:
    assert middle((2, 3, 82, 13)) == (2, 3, 82, 13)


def test_numbers_come_in_the_type_asked_for() -> None:
    assert spec().batch(CROPS, CPU, torch.bfloat16).dtype == torch.bfloat16


def test_a_read_only_crop_is_copied_not_touched() -> None:
    crop = noise(9, 9)
    crop.setflags(write=False)
    upload(crop, CPU).zero_()
    assert crop.any()


@pytest.mark.parametrize(
    "other",
    [
        {"size": {"height": 32, "width": 16}},
        {"size": {"shortest_edge": 32}},
        {"do_normalize": False},
        {"rescale_factor": 1 / 127},
        {"resample": 0},
    ],
    ids=str,
)
def test_a_processor_that_does_something_else_is_refused(other: dict[str, object]) -> None:
    usual = {"size": {"height": 32, "width": 32}, "image_mean": MEAN, "image_std": STD}
    with pytest.raises(ValueError, match="expected to resize"):
        PixelRecipe.of(transformers.ViTImageProcessor(**(usual | other)))


# From two columns on: of one, torch's antialiasing makes zeros (2.11, float32).
# Of one column torch itself makes something else; see the last test.
@given(st.integers(1, 9), st.integers(2, 9), st.integers(1, 20), st.integers(2, 20))
@settings(deadline=None)
def test_leaving_out_antialiasing_where_nothing_shrinks_changes_nothing(
    height: int, width: int, new_height: int, new_width: int
) -> None:
    values = torch.rand(1, 2, height, width, generator=torch.Generator().manual_seed(height))
    size_hw = new_height, new_width
    antialiased = functional.interpolate(values, size_hw, mode="bilinear", antialias=True)
    torch.testing.assert_close(resize_bilinear(values, size_hw), antialiased, atol=1e-5, rtol=0)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("how", ["bilinear", "bicubic"])
def test_a_gpu_sees_the_same_pixels(how: str) -> None:
    there = spec(how=how).batch(STREETS, torch.device("cuda")).cpu()
    bytes_off = (there - spec(how=how).batch(STREETS, CPU)).abs() * 255 * max(STD)
    assert bytes_off.max() < 2.1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("how", ["bilinear", "bicubic"])
def test_a_gpu_rounds_once(how: str) -> None:
    """Where a CPU rounds between the directions too, and cuts off there what a cubic overshoots in noise."""
    recipe = PixelRecipe(16, InterpolationMode(how), (0.0,) * 3, (1.0,) * 3)
    there = recipe.batch(CROPS, torch.device("cuda")).cpu() * 255
    for mine, crop in zip(there, CROPS, strict=True):
        assert (mine - exact(crop, recipe)).abs().max() < 0.51


@given(st.integers(1, 9), st.integers(2, 9))
def test_one_column_is_made_of_all_its_rows(height: int, width: int) -> None:
    values = torch.rand(1, 2, 7, width, generator=torch.Generator().manual_seed(height))
    rows = resize_bilinear(values, (height, width)).split(1, dim=2)
    expected = torch.cat([resize_bilinear(row, (1, 1)) for row in rows], dim=2)
    torch.testing.assert_close(resize_bilinear(values, (height, 1)), expected, atol=1e-6, rtol=0)
