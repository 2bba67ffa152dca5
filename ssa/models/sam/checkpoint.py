"""Reads a folder's SAM checkpoint: the tensors, the head count beside them, and a whole model of both."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from segment_anything.modeling import Sam
from torch import Tensor

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
    path = _weights_file(folder)
    state = _read_state(path)
    architecture = architecture_of(state, _decoder_heads_beside(path))
    logger.debug("SAM from %s: %s", path.name, architecture)
    return _with_weights(architecture, state, path)


def _weights_file(folder: Path) -> Path:
    safe = folder / "model.safetensors"
    if safe.is_file():
        return safe
    pickled = sorted(folder.glob("*.pth"))
    if len(pickled) != 1:
        found = ", ".join(p.name for p in pickled) or "neither"
        raise WeightsError(
            f"{shown(folder)}: expected model.safetensors or one *.pth file, found {found}"
        )
    return pickled[0]


def _read_state(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        # weights_only: a pickle may run code when it is read in full.
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # The unpickler meets rubbish with errors of almost any kind.
        reason = str(error).replace(str(path), shown(path))
        raise WeightsError(f"{shown(path)}: can't be read as tensors: {reason}") from error
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise WeightsError(f"{shown(path)}: expected a mapping from names to tensors")
    return state


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
    _check_complete(sam.state_dict(), state, path)
    sam.load_state_dict(state, strict=True, assign=True)
    # Not part of a state dict, so still without values.
    sam.pixel_mean = torch.tensor(PIXEL_MEAN, device="cpu").view(3, 1, 1)
    sam.pixel_std = torch.tensor(PIXEL_STD, device="cpu").view(3, 1, 1)
    return sam


def _check_complete(expected: Mapping[str, Tensor], got: Mapping[str, Tensor], path: Path) -> None:
    misshapen = [
        f"{name} {tuple(got[name].shape)} for {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in got and got[name].shape != tensor.shape
    ]
    faults = {
        "missing": sorted(expected.keys() - got.keys()),
        "unexpected": sorted(got.keys() - expected.keys()),
        "of the wrong shape": misshapen,
    }
    told = [f"{len(names)} {what} ({_a_few(names)})" for what, names in faults.items() if names]
    if told:
        raise WeightsError(f"{shown(path)}: not a whole SAM: tensors {'; '.join(told)}")


def _a_few(names: list[str], shown: int = 4) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
