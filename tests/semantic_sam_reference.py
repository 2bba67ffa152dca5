"""The shrunken Semantic-SAM with the outputs of the public implementation; see data/README.md."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import load_file
from torch import Tensor

from ssa.models.semantic_sam import SemanticSam, architecture_of, build, from_published
from ssa.types import RGBImage

DATA = Path(__file__).parent / "data" / "semantic_sam"


@cache
def published_state() -> dict[str, Tensor]:
    """The checkpoint's tensors by their published names."""
    return load_file(DATA / "checkpoint.safetensors")


def reference_model() -> SemanticSam:
    """A fresh model with the checkpoint's weights."""
    state = from_published(published_state())
    model = build(architecture_of(state))
    model.load_state_dict(state)
    return model


@cache
def outputs(case: str) -> dict[str, Tensor]:
    """Inputs, intermediates and outputs of one case, by the rest of their names."""
    tensors = load_file(DATA / "outputs.safetensors")
    prefix = case + "/"
    return {
        name.removeprefix(prefix): each for name, each in tensors.items() if name.startswith(prefix)
    }


def picture(tensor: Tensor) -> RGBImage:
    """(3, H, W) as a picture."""
    return np.ascontiguousarray(tensor.permute(1, 2, 0).numpy())


def amg_picture() -> RGBImage:
    """What the automatic masks are of."""
    return picture(load_file(DATA / "amg_image.safetensors")["image"])


def amg_cases() -> dict[str, Any]:
    """Settings and annotations of the automatic masks, by case."""
    cases: dict[str, Any] = json.loads((DATA / "amg.json").read_text())
    return cases


def published_shapes(size: str) -> dict[str, list[int]]:
    """Names and shapes of a whole published checkpoint, "t" or "l"."""
    shapes: dict[str, list[int]] = json.loads((DATA / f"swin_{size}_keys.json").read_text())
    return shapes
