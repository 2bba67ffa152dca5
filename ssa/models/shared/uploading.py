"""Pictures on their way to the device: as bytes, without waiting, and each only once."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ssa.pictures.canvas import Canvas
from ssa.types import RGBImage


def upload(crop: RGBImage, device: torch.device) -> Tensor:
    """A crop (h, w, 3) as (3, h, w) uint8 on ``device``; to a GPU without waiting for it.

    On a CPU a whole picture is taken as it lies, so it isn't to be written to.
    """
    pixels = as_tensor(crop)
    if device.type == "cuda":
        pixels = pixels.pin_memory()
    return pixels.to(device, non_blocking=True).permute(2, 0, 1)


def on_device(picture: RGBImage | Canvas, device: torch.device) -> Tensor:
    """A picture as ``upload`` has it; with its canvas, once for all who ask, so it isn't to be written to."""
    return Canvas.of(picture).once(("pixels", device), lambda pixels: upload(pixels, device))


def as_tensor(picture: RGBImage) -> Tensor:
    """The picture on the host, as it lies if torch can take it so."""
    as_it_is = picture.flags.writeable and picture.flags.c_contiguous
    return torch.from_numpy(picture if as_it_is else np.array(picture))
