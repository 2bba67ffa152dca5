"""The device and number type all models run on, chosen once and logged with the reason."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import torch

logger = logging.getLogger(__name__)

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a model lives and in which number type it computes."""

    device: torch.device
    dtype: torch.dtype


def choose_placement(device: str | None = None, dtype: str | None = None) -> Placement:
    """The placement asked for, else CUDA when there is one, else the CPU; float32 unless told.

    ``device`` is a torch device string ("cuda", "cuda:1", "cpu"), ``dtype`` a key of ``DTYPES``.
    Raises ``ValueError`` for an unknown dtype and what torch raises for an unknown device.
    """
    if dtype is not None and dtype not in DTYPES:
        raise ValueError(f"dtype must be one of {', '.join(DTYPES)}; got {dtype!r}")
    if device is not None:
        chosen, reason = torch.device(device), "asked for"
    elif torch.cuda.is_available():
        chosen, reason = torch.device("cuda"), "a CUDA device is present"
    else:
        chosen, reason = torch.device("cpu"), "no CUDA device is present"
    placement = Placement(chosen, DTYPES[dtype or "float32"])
    logger.info("device %s (%s), dtype %s", placement.device, reason, placement.dtype)
    return placement
