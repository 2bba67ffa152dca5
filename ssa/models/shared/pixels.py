"""Crops to model input, on the model's own device: resized, scaled and normalised as the model was trained.

The libraries' own image processors do the same work on the CPU, one crop after the other. Here a crop
travels to the device as bytes, and all the rest happens there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as vision
from transformers.image_utils import PILImageResampling

from ssa.models.shared.bulk_crops import resize_in_bulk, resizes_in_bulk
from ssa.models.shared.coarse import grid_of
from ssa.models.shared.uploading import as_tensor, upload
from ssa.pictures.canvas import Crops
from ssa.types import BoxXYXY, RGBImage

Colours = tuple[float, float, float]

# ImageNet's mean and deviation of bytes (0 to 255), red, green, blue: as both kinds of SAM were trained.
BYTE_MEAN: Colours = (123.675, 116.28, 103.53)
BYTE_STD: Colours = (58.395, 57.12, 57.375)

# A crop with sides in a higher ratio loses its ends before it is enlarged by its shorter side, of which the
# middle is kept: 1 x 20,000 pixels would become 224 x 4,480,000.
LONGEST_RATIO = 8

_INTERPOLATION = {
    PILImageResampling.BILINEAR: InterpolationMode.BILINEAR,
    PILImageResampling.BICUBIC: InterpolationMode.BICUBIC,
}


def cells_along(side_px: int, patch_px: int) -> int:
    """How many patches a side has. Raises ``ValueError`` where they don't fill it."""
    if side_px < patch_px or side_px % patch_px:
        raise ValueError(f"side_px must be a multiple of the patch, {patch_px}; got {side_px}")
    return side_px // patch_px


@dataclass(frozen=True, slots=True)
class PixelRecipe:
    """What a model wants to see of a crop: a square of ``side_px``, normalised by colour (0 to 1).

    ``keeps_shape`` resizes by the shorter side and keeps the middle square; else the crop is squeezed.
    """

    side_px: int
    interpolation: InterpolationMode
    mean: Colours
    std: Colours
    keeps_shape: bool = False

    @classmethod
    def of(cls, processor: Any) -> PixelRecipe:
        """The spec of a transformers image processor that squeezes to a square.

        Raises ``ValueError`` when it does anything else.
        """
        size = processor.size
        resample = PILImageResampling(processor.resample)
        steps = processor.do_resize, processor.do_rescale, processor.do_normalize
        if size.height is None or size.height != size.width or resample not in _INTERPOLATION:
            raise ValueError(f"expected to resize to a square, smoothly; got {size}, {resample!r}")
        if not all(steps) or abs(processor.rescale_factor * 255 - 1) > 1e-6:
            raise ValueError("expected to resize, to rescale by 1/255 and to normalise")
        mean, std = tuple(processor.image_mean), tuple(processor.image_std)
        return cls(size.height, _INTERPOLATION[resample], mean, std)

    def batch(
        self,
        crops: Sequence[RGBImage],
        device: torch.device,
        dtype: torch.dtype = torch.float32,
        *,
        in_bulk: bool = False,
    ) -> Tensor:
        """(N, 3, side, side) on ``device`` for crops (h, w, 3) uint8 RGB of any sizes, at least one.

        Resized with antialiasing and rounded to bytes, as transformers' processors do. Pillow takes the
        two directions in another order and rounds in between: 2/255 more or less in a photo, at a hard
        edge a little more. ``in_bulk``, crops of a picture that fits are cut and resized together, on the
        device: there a byte may come out as the next one, where it was nearly between the two.
        """
        if in_bulk and isinstance(crops, Crops) and resizes_in_bulk(crops):
            boxes = [self._seen(box) for box in crops.boxes_xyxy]
            resized = resize_in_bulk(
                Crops(crops.canvases, boxes),
                self.side_px,
                self._sizes(boxes),
                self.interpolation,
                device,
            )
        else:
            resized = torch.stack([self._square(upload(one, device)) for one in crops]).float()
        mean, std = _colours(self.mean, device), _colours(self.std, device)
        return resized.div_(255).sub_(mean).div_(std).to(dtype)

    def whole(
        self,
        image: RGBImage,
        size_hw: tuple[int, int],
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ) -> Tensor:
        """(1, 3, *size_hw) on ``device``: all of a picture (H, W, 3) uint8 RGB, rounded to bytes as above."""
        resized = vision.resize(
            upload(image, device), [*size_hw], interpolation=self.interpolation, antialias=True
        )
        mean, std = _colours(self.mean, device), _colours(self.std, device)
        pixels: Tensor = resized[None].float().div_(255).sub_(mean).div_(std).to(dtype)
        return pixels

    def _square(self, crop: Tensor) -> Tensor:
        side = self.side_px
        wanted = [side] if self.keeps_shape else [side, side]
        left, top, right, bottom = self._seen((0, 0, crop.shape[2], crop.shape[1]))
        crop = crop[:, top:bottom, left:right]
        resized = vision.resize(crop, wanted, interpolation=self.interpolation, antialias=True)
        square: Tensor = vision.center_crop(resized, [side, side]) if self.keeps_shape else resized
        return square

    def _seen(self, box_xyxy: BoxXYXY) -> BoxXYXY:
        """The part of a box that is looked at."""
        return middle(box_xyxy) if self.keeps_shape else box_xyxy

    def _sizes(self, boxes_xyxy: Sequence[BoxXYXY]) -> list[tuple[int, int]]:
        """What each box is resized to, (height, width), before the middle square is kept."""
        side = self.side_px
        if not self.keeps_shape:
            return [(side, side)] * len(boxes_xyxy)
        shapes = [(bottom - top, right - left) for left, top, right, bottom in boxes_xyxy]
        return [
            (side, side * width // height) if height <= width else (side * height // width, side)
            for height, width in shapes
        ]


def middle(box_xyxy: BoxXYXY) -> BoxXYXY:
    """The middle of a box more than ``LONGEST_RATIO`` times as long as wide; else the box itself."""
    left, top, right, bottom = box_xyxy
    bound = LONGEST_RATIO * min(right - left, bottom - top)
    across, down = (max(0, side - bound) // 2 for side in (right - left, bottom - top))
    return left + across, top + down, right - across, bottom - down


@cache
def _colours(values: Colours, device: torch.device) -> Tensor:
    """(3, 1, 1) on the device; kept, for each time would be one more wait."""
    return torch.tensor(values, device=device).view(3, 1, 1)


def resize_picture(
    picture: RGBImage, size_hw: tuple[int, int], kind: Image.Resampling
) -> NDArray[np.uint8]:
    """A picture (H, W, 3) RGB uint8 at another size, smoothly, on the host.

    As Pillow does it; above 4 megapixels as torch does, which needs a tenth of the time, for Pillow makes a
    copy of the picture first. Here and there a byte comes out as the next one.
    """
    if grid_of(*picture.shape[:2]) == picture.shape[:2]:
        return np.array(Image.fromarray(picture).resize(size_hw[::-1], kind))
    resized = vision.resize(
        as_tensor(picture).permute(2, 0, 1),
        list(size_hw),
        interpolation=_INTERPOLATION[PILImageResampling(kind)],
        antialias=True,
    )
    on_host: NDArray[np.uint8] = resized.permute(1, 2, 0).numpy()
    return on_host


def resize_bilinear(values: Tensor, size_hw: tuple[int, int], antialias: bool = True) -> Tensor:
    """(N, C, h, w) float to another size, bilinear, with antialiasing (if wanted) where a side shrinks.

    Where none does antialiasing changes nothing, and without it is three times as fast.
    """
    shrinks = size_hw[0] < values.shape[-2] or size_hw[1] < values.shape[-1]
    if antialias and shrinks and size_hw[1] == 1 < size_hw[0]:
        # Torch 2.11 on a CPU gives every row of a single column the first one's value.
        lying = values.mT.contiguous()
        return resize_bilinear(lying, (1, size_hw[0])).mT
    return functional.interpolate(
        values, size=size_hw, mode="bilinear", align_corners=False, antialias=antialias and shrinks
    )


def fit_hw(height: int, width: int, side_px: int) -> tuple[int, int]:
    """The size whose long side is ``side_px``, to the nearest pixel, and at least one either way."""
    scale = side_px / max(height, width)
    return max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5))
