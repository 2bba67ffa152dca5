"""Checkpoints without a configuration: their tensors, read safely, and what their shapes tell.

Shared by the models of our own, whose sizes are read off their weights.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from ssa.errors import WeightsError
from ssa.models.shared.pretrained import not_finite, shown


def weights_file(folder: Path) -> Path:
    """``model.safetensors`` in ``folder``, else the one ``*.pth``; ``WeightsError`` for none or several."""
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


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint by name, on the CPU, of the stored type; no code in it is run.

    A pickle may hold them flat or under ``"model"``. Raises ``WeightsError`` for anything else.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        # weights_only: a pickle may run code when it is read in full.
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # The unpickler meets rubbish with errors of almost any kind.
        reason = str(error).replace(str(path), shown(path))
        raise WeightsError(f"{shown(path)}: can't be read as tensors: {reason}") from error
    return _flat(state, path)


def _flat(state: Any, path: Path) -> dict[str, Tensor]:
    nested = state.get("model") if isinstance(state, dict) else None
    tensors = nested if isinstance(nested, dict) else state
    if not isinstance(tensors, dict) or not all(isinstance(v, Tensor) for v in tensors.values()):
        raise WeightsError(f"{shown(path)}: expected a mapping from names to tensors")
    return tensors


def number_beside(path: Path, name: str, default: int, least: int = 1) -> int:
    """The whole number ``name`` of the ``config.json`` beside a checkpoint; ``default`` where none says it.

    Raises ``WeightsError`` for a file that holds something else, or a number under ``least``.
    """
    config_path = path.with_name("config.json")
    if not config_path.is_file():
        return default
    try:
        config: Any = json.loads(config_path.read_text(encoding="utf-8"))
        number = config.get(name, default)
    except (ValueError, AttributeError) as error:
        raise WeightsError(f"{shown(config_path)}: expected a JSON object: {error}") from error
    if type(number) is not int or number < least:
        kind = "a positive int" if least == 1 else f"an int of at least {least}"
        raise WeightsError(f"{shown(config_path)}: {name} must be {kind}, got {number!r}")
    return number


def check_complete(
    expected: Mapping[str, Tensor], got: Mapping[str, Tensor], path: Path, model: str
) -> None:
    """Raise ``WeightsError`` unless both have the same names and shapes, and the numbers are finite.

    It names some that aren't so.
    """
    misshapen = [
        f"{name} {tuple(got[name].shape)} for {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in got and got[name].shape != tensor.shape
    ]
    faults = {
        "missing": sorted(expected.keys() - got.keys()),
        "unexpected": sorted(got.keys() - expected.keys()),
        "of the wrong shape": misshapen,
        "with NaN or infinity": not_finite(got),
    }
    told = [f"{len(names)} {what} ({_a_few(names)})" for what, names in faults.items() if names]
    if told:
        raise WeightsError(f"{shown(path)}: not a whole {model}: tensors {'; '.join(told)}")


def _a_few(names: list[str], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


class Shapes:
    """Shapes of a state dict's tensors, with errors that name what is missing; ``model`` is for these."""

    def __init__(self, state: Mapping[str, Tensor], model: str) -> None:
        self._shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
        self._model = model

    def of(self, name: str, ndim: int) -> tuple[int, ...]:
        """The shape of one tensor, which must have ``ndim`` dimensions, none of them empty."""
        if name not in self._shapes:
            raise WeightsError(
                f"{self._model} weights: tensor {name!r} is missing; "
                f"is this a {self._model} checkpoint?"
            )
        shape = self._shapes[name]
        if len(shape) != ndim or 0 in shape:
            raise WeightsError(
                f"{self._model} weights: {name!r} should have {ndim} dimensions, got {shape}"
            )
        return shape

    def count(self, prefix: str) -> int:
        """How many numbered modules follow ``prefix`` ("blocks." → 12 for blocks.0 to blocks.11)."""
        rest = (name[len(prefix) :] for name in self._shapes if name.startswith(prefix))
        numbers = {part for name in rest if (part := name.split(".", 1)[0]).isdecimal()}
        if not numbers:
            raise WeightsError(
                f"{self._model} weights: no tensor {prefix}*; is this a {self._model} checkpoint?"
            )
        return len(numbers)
