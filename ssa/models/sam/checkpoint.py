"""Reads a folder's SAM checkpoint: the tensors, the head count beside them, and a whole model of both."""

from __future__ import annotations

import logging
from pathlib import Path

import torch
from segment_anything.modeling import Sam
from torch import Tensor

from ssa.models.sam.architecture import (
    PUBLISHED_DECODER_HEADS,
    SamArchitecture,
    architecture_of,
    build,
)
from ssa.models.shared.checkpoints import check_complete, number_beside, read_tensors, weights_file
from ssa.models.shared.pixels import BYTE_MEAN, BYTE_STD

logger = logging.getLogger(__name__)


def load_sam(folder: Path) -> Sam:
    """The SAM in ``folder``: ``model.safetensors``, else the one ``*.pth``; on the CPU, of the stored type.

    Raises ``WeightsError`` when the folder doesn't hold one readable, complete SAM.
    """
    path = weights_file(folder)
    state = read_tensors(path)
    heads = number_beside(path, "decoder_num_heads", PUBLISHED_DECODER_HEADS)
    architecture = architecture_of(state, heads)
    logger.debug("SAM from %s: %s", path.name, architecture)
    return _with_weights(architecture, state, path)


def _with_weights(architecture: SamArchitecture, state: dict[str, Tensor], path: Path) -> Sam:
    # On the meta device nothing is allocated or drawn at random; the tensors then move in as they are.
    with torch.device("meta"):
        sam = build(architecture)
    check_complete(sam.state_dict(), state, path, "SAM")
    sam.load_state_dict(state, strict=True, assign=True)
    # Not part of a state dict, so still without values.
    sam.pixel_mean = torch.tensor(BYTE_MEAN, device="cpu").view(3, 1, 1)
    sam.pixel_std = torch.tensor(BYTE_STD, device="cpu").view(3, 1, 1)
    return sam
