"""Reads a folder's SAM checkpoint: the tensors, the head count beside them, and a whole model of both."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import torch
from segment_anything.modeling import Sam
from torch import Tensor

from ssa.checkpoints import check_complete, read_tensors, weights_file
from ssa.errors import WeightsError
from ssa.models.sam.architecture import (
    PIXEL_MEAN,
    PIXEL_STD,
    PUBLISHED_DECODER_HEADS,
    SamArchitecture,
    architecture_of,
    build,
)
from ssa.pretrained import shown

logger = logging.getLogger(__name__)


def load_sam(folder: Path) -> Sam:
    """The SAM in ``folder``: ``model.safetensors``, else the one ``*.pth``; on the CPU, of the stored type.

    Raises ``WeightsError`` when the folder doesn't hold one readable, complete SAM.
    """
    path = weights_file(folder)
    state = read_tensors(path)
    architecture = architecture_of(state, _decoder_heads_beside(path))
    logger.debug("SAM from %s: %s", path.name, architecture)
    return _with_weights(architecture, state, path)


def _decoder_heads_beside(path: Path) -> int:
    """``decoder_num_heads`` of the folder's ``config.json``; the published models' without one."""
    config_path = path.with_name("config.json")
    if not config_path.is_file():
        return PUBLISHED_DECODER_HEADS
    try:
        config: Any = json.loads(config_path.read_text(encoding="utf-8"))
        heads = config.get("decoder_num_heads", PUBLISHED_DECODER_HEADS)
    except (ValueError, AttributeError) as error:
        raise WeightsError(f"{shown(config_path)}: expected a JSON object: {error}") from error
    if type(heads) is not int or heads < 1:
        raise WeightsError(
            f"{shown(config_path)}: decoder_num_heads must be a positive int, got {heads!r}"
        )
    return heads


def _with_weights(architecture: SamArchitecture, state: dict[str, Tensor], path: Path) -> Sam:
    # On the meta device nothing is allocated or drawn at random; the tensors then move in as they are.
    with torch.device("meta"):
        sam = build(architecture)
    check_complete(sam.state_dict(), state, path, "SAM")
    sam.load_state_dict(state, strict=True, assign=True)
    # Not part of a state dict, so still without values.
    sam.pixel_mean = torch.tensor(PIXEL_MEAN, device="cpu").view(3, 1, 1)
    sam.pixel_std = torch.tensor(PIXEL_STD, device="cpu").view(3, 1, 1)
    return sam
