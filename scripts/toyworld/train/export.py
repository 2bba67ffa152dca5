"""What the trainees write: fp16 safetensors and the JSON files that the published folders hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def save_half(state: dict[str, Tensor], path: Path, unused: str = "\0") -> None:
    """Write a state dict as fp16; leaves out keys that begin with ``unused``.

    Of tensors that share memory only the first is kept: safetensors refuses two names for one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    first_names = {tensor.data_ptr(): name for name, tensor in reversed(state.items())}
    kept = {name for name in first_names.values() if not name.startswith(unused)}
    half = {name: state[name].half().contiguous().cpu() for name in state if name in kept}
    save_file(half, path, metadata={"format": "pt"})
    path.chmod(0o644)  # safetensors writes for the owner alone


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` as indented JSON."""
    path.write_text(json.dumps(value, indent=1) + "\n")


def image_processor(
    kind: str,
    mean: tuple[float, ...],
    std: tuple[float, ...],
    size: dict[str, int],
    resample: int,
    **more: Any,
) -> dict[str, Any]:
    """A ``preprocessor_config.json``; ``resample`` is Pillow's number (2 bilinear, 3 bicubic)."""
    return {
        "image_processor_type": kind,
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": list(mean),
        "image_std": list(std),
        "resample": resample,
        "rescale_factor": 1 / 255,
        "size": size,
        **more,
    }
