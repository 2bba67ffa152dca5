"""Opening a folder of weights: offline, complete or refused, every fault a ``WeightsError``.

Shared by the adapters; knows no model class. ``from_pretrained`` alone would fill a missing layer with
random numbers and go on, and would look on the network for a missing file. All is read in float32, unless an
adapter asks for less; each then says which part of its model may compute in fewer bits.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from torch import Tensor, nn

from ssa.errors import WeightsError

logger = logging.getLogger(__name__)

# What the libraries raise for a file that is missing, cut short, not JSON or of other shapes, or asks for a
# package that isn't there.
_DAMAGED = (
    *(OSError, ValueError, KeyError, RuntimeError, ImportError),
    *(SafetensorError, StrictDataclassError),
)

TRANSFORMER_FILES = ("config.json", "preprocessor_config.json", "model.safetensors")


def shown(path: Path) -> str:
    """The end of a path, "tiny/sam": enough to find it, and nothing of the server's own folders."""
    return "/".join(path.parts[-2:])


@contextmanager
def opening(folder: Path, what: str, files: tuple[str, ...] = ()) -> Iterator[None]:
    """Turn whatever goes wrong inside the block into a ``WeightsError`` that names ``what`` and where.

    ``files`` must be in ``folder`` before the block begins: without its config.json, transformers would
    build a model of some default size first.
    """
    missing = [name for name in files if not (folder / name).is_file()]
    if missing or not folder.is_dir():
        found = f"without {', '.join(missing)}" if folder.is_dir() else "that is not there"
        raise WeightsError(f"{what}: expected weights in {shown(folder)}, a folder {found}")
    try:
        yield
    except Exception as error:
        # Plainly so, for a damaged file of its own: the tokenizers library.
        if type(error) is not Exception and not isinstance(error, _DAMAGED):
            raise
        reason = str(error).replace(str(folder), shown(folder))
        raise WeightsError(f"{what}: {shown(folder)} can't be loaded: {reason}") from error


def load_transformer(
    model_class: Any,
    folder: Path,
    device: torch.device,
    unused: tuple[str, ...] = (),
    *,
    dtype: torch.dtype = torch.float32,
    **config: Any,
) -> Any:
    """A transformers model from ``folder``'s config.json and safetensors, in ``dtype`` and evaluation mode.

    ``unused`` names parts (by a piece of their key) that inference never reads, so a checkpoint may
    lack them; ``config`` overrides entries of config.json. Raises ``ValueError`` when a parameter that
    counts is not in the file or not finite, and what transformers raises: to be called within ``opening``.
    Tensors of the file that the model doesn't know are told in the log.
    """
    with quiet_loading():
        model, info = model_class.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            dtype=dtype,
            output_loading_info=True,
            **config,
        )
    missing = [key for key in info["missing_keys"] if not any(part in key for part in unused)]
    if missing:
        named = ", ".join(sorted(missing)[:3])
        raise ValueError(f"{len(missing)} parameters are not in the checkpoint, such as {named}")
    # After all was sent, so that the host reads each number once.
    model = model.eval().requires_grad_(False).to(device)
    if broken := not_finite(model.state_dict()):
        raise ValueError(f"{len(broken)} tensors hold NaN or infinity, such as {broken[0]}")
    if strangers := sorted(info["unexpected_keys"]):
        logger.warning(
            "%s: %d tensors are unknown to %s and were left aside, such as %s",
            shown(folder),
            len(strangers),
            model_class.__name__,
            strangers[0],
        )
    return model


def not_finite(tensors: Mapping[str, Tensor]) -> list[str]:
    """The names of those that hold NaN or infinity: a sum tells, in one pass and without a copy.

    All lie on one device, which is asked once.
    """
    sums = {
        name: tensor.sum(dtype=torch.float32)
        for name, tensor in tensors.items()
        if tensor.is_floating_point() and not tensor.is_meta
    }
    if not sums:
        return []
    finite = torch.stack(list(sums.values())).isfinite().tolist()
    return sorted(name for name, is_finite in zip(sums, finite, strict=True) if not is_finite)


def class_names(config: Any, usual: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """The names of a segmentor's classes, by class id, from its config's ``id2label``.

    Where that names none (transformers then makes up "LABEL_0") but has as many as ``usual``, these: the
    published EoMTs number a data set's classes in its own order. Raises ``ValueError`` where no name is to be
    had, or an id is skipped.
    """
    names = {int(class_id): str(name) for class_id, name in config.id2label.items()}
    if sorted(names) != list(range(len(names))):
        raise ValueError(f"id2label must name the ids 0 to {len(names) - 1}; it skips some")
    if all(name == f"LABEL_{class_id}" for class_id, name in names.items()):
        if usual and len(usual) == len(names):
            return usual
        raise ValueError("id2label in config.json must name the classes; it is not there")
    return tuple(names[class_id].strip() for class_id in range(len(names)))


def fed_float32(module: nn.Module) -> None:
    """Make ``module``, whose own numbers are float32, take inputs of any float type."""

    def cast(_: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(_to_float32(value) for value in args)

    module.register_forward_pre_hook(cast)


def _to_float32(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_to_float32(item) for item in value)
    is_number = isinstance(value, Tensor) and value.is_floating_point()
    return value.float() if is_number else value


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Keep transformers' progress bar and its table of keys out of the log: what counts is raised."""
    log = transformers.logging
    verbosity, bar = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        yield
    finally:
        log.set_verbosity(verbosity)
        if bar:
            log.enable_progress_bar()
