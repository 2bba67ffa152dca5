"""A folder in open_clip's layout: its model, how that wants its pictures, and its tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import open_clip
from open_clip.transform import PreprocessCfg
from torchvision.transforms.v2 import InterpolationMode

from ssa.device import Placement
from ssa.models.shared.pixels import PixelRecipe
from ssa.models.shared.pretrained import opening
from ssa.models.shared.undrawn import NothingDrawn

FILES = ("open_clip_config.json", "open_clip_model.safetensors")


def load_open_clip(folder: Path, placement: Placement) -> tuple[Any, PixelRecipe, Any]:
    """The model in ``folder``, how it wants its pictures, and its tokenizer.

    What sees is in the placement's number type, what reads in float32. Raises ``WeightsError`` when the
    folder is missing or damaged.
    """
    name = f"local-dir:{folder}"
    with opening(folder, "CLIP", FILES):
        with NothingDrawn():  # The weights are required, and loaded strictly.
            model = open_clip.create_model(name, require_pretrained=True, weights_only=True)
        tokenizer = open_clip.get_tokenizer(name)
        recipe = _spec(PreprocessCfg(**model.visual.preprocess_cfg))
    model = model.eval().requires_grad_(False).to(placement.device)
    model.visual.to(placement.dtype)
    return model, recipe, tokenizer


def _spec(settings: Any) -> PixelRecipe:
    """How open_clip says the model wants its crops. Raises ``ValueError`` for what no square comes of."""
    sides = {settings.size} if isinstance(settings.size, int) else set(settings.size)
    if len(sides) != 1 or settings.resize_mode not in ("shortest", "squash"):
        raise ValueError(
            "expected square input, resized by the shortest side or squashed; "
            f"got {settings.size}, {settings.resize_mode!r}"
        )
    return PixelRecipe(
        side_px=sides.pop(),
        interpolation=InterpolationMode(settings.interpolation),
        mean=tuple(settings.mean),
        std=tuple(settings.std),
        keeps_shape=settings.resize_mode == "shortest",
    )
