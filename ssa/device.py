"""The device and number type all models run on, chosen once; and the device's memory errors in our words."""

from __future__ import annotations

import gc
import logging
import math
import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec, TypeVar

import torch

from ssa.errors import NEED_LESS_MEMORY, OutOfMemory

logger = logging.getLogger(__name__)

DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}

# What torch says, in a plain RuntimeError, when the CPU's allocator or a CUDA library finds no memory.
_ALLOCATION_FAILED = re.compile(
    r"can't allocate memory|not enough memory|out of memory|_ALLOC_FAILED|_ALLOCATION_FAILED"
)
_AMOUNT = re.compile(r"tried to allocate ([\d.]+ \w+)", re.IGNORECASE)

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a model lives and in which number type it computes.

    ``bulk`` is whether it works in few large operations; None leaves that to the device. It decides how
    work is split, never what comes of it.
    """

    device: torch.device
    dtype: torch.dtype
    bulk: bool | None = None

    @property
    def in_bulk(self) -> bool:
        """Whether each operation is a launch that costs more than its arithmetic, as on a GPU.

        A CPU wants pieces that its caches hold.
        """
        return self.device.type != "cpu" if self.bulk is None else self.bulk


def choose_placement(device: str | None = None, dtype: str | None = None) -> Placement:
    """The placement asked for; else CUDA when there is one, and bfloat16 where CUDA computes in it.

    ``device`` is a torch device string ("cuda", "cuda:1", "cpu"), ``dtype`` a key of ``DTYPES``.
    Raises ``ValueError`` for an unknown dtype or device, and for a CUDA device where there is none.
    """
    if dtype is not None and dtype not in DTYPES:
        raise ValueError(f"dtype must be one of {', '.join(DTYPES)}; got {dtype!r}")
    chosen, why_there = _choose_device(device)
    number_type, why_so = (DTYPES[dtype], "asked for") if dtype else _best_dtype(chosen)
    if device is None or dtype is None:  # who asked for both is told nothing new
        logger.info("device %s (%s), dtype %s (%s)", chosen, why_there, number_type, why_so)
    return Placement(chosen, number_type)


def _choose_device(asked: str | None) -> tuple[torch.device, str]:
    """The device and the reason for it."""
    has_cuda = torch.cuda.is_available()
    if asked is None:
        if has_cuda:
            return torch.device("cuda"), "a CUDA device is present"
        return torch.device("cpu"), "no CUDA device is present"
    device = _known_device(asked)
    if device.type == "cuda" and not has_cuda:
        raise ValueError(
            f"device {asked!r} was asked for, but torch finds no CUDA device: try 'cpu'"
        )
    return device, "asked for"


def _known_device(asked: str) -> torch.device:
    """The device of that name; torch knows more, on which nothing here was ever tried."""
    device: torch.device | None = None
    with suppress(RuntimeError):
        device = torch.device(asked)
    if device is None or device.type not in ("cpu", "cuda"):
        raise ValueError(f"device must be cpu, cuda or such as cuda:1; got {asked!r}")
    return device


def _best_dtype(device: torch.device) -> tuple[torch.dtype, str]:
    """The number type for a device and the reason for it."""
    if device.type != "cuda":
        return torch.float32, "bfloat16 is the choice on CUDA only"
    with torch.cuda.device(device):
        # Emulated, it would be slower than float32.
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return torch.bfloat16, "the CUDA device computes in it"
    return torch.float32, "the CUDA device has no bfloat16"


def memory_limit() -> int | None:
    """The bytes of a CUDA device that ``SSA_MEMORY_GB`` allows for all, None without it.

    Raises ``ValueError`` for what is no positive number.
    """
    told = os.environ.get("SSA_MEMORY_GB")
    if not told:
        return None
    try:
        gigabytes = float(told)
    except ValueError:
        gigabytes = math.nan
    if not 0 < gigabytes < math.inf:
        raise ValueError(f"SSA_MEMORY_GB must be a positive number of gigabytes; got {told!r}")
    return int(gigabytes * 2**30)


def keep_within(limit: int, device: torch.device) -> None:
    """Let torch take no more than so many bytes of a CUDA device.

    Raises ``ValueError`` where the weights have taken as much already.
    """
    taken, (_, total) = torch.cuda.memory_allocated(device), torch.cuda.mem_get_info(device)
    if taken >= limit:
        raise ValueError(
            f"SSA_MEMORY_GB must be more than the weights take, {taken / 2**30:.1f}; "
            f"got {limit / 2**30:.1f}"
        )
    # Here torch wants a number: "cuda" alone, the usual device, has none.
    index = torch.cuda.current_device() if device.index is None else device.index
    torch.cuda.set_per_process_memory_fraction(min(1.0, limit / total), index)


def choose_attention(device: torch.device) -> None:
    """Let torch's attention on a CUDA device run kernels that take any shape, in the whole process.

    Its first choice there, cuDNN's, makes a plan for every batch size it hasn't seen, which takes longer than
    the attention itself ever does; and a picture may have any number of regions.
    """
    if device.type == "cuda":
        torch.backends.cuda.enable_cudnn_sdp(False)


def memory_errors_told(method: Callable[P, R]) -> Callable[P, R]:
    """Decorator: a failed allocation, on any device, raises ``OutOfMemory``; all else passes as it is.

    By the time it is raised, what ``method`` had allocated is free again, for it is chained to no
    exception whose frames hold tensors: work can be tried again at once, in smaller pieces. Not for
    generator functions, which do their work after they have returned.
    """

    @wraps(method)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except (MemoryError, RuntimeError) as error:
            if isinstance(error, OutOfMemory) or not _is_about_memory(error):
                raise
            said = f"{type(error).__name__}: {error}"
        # Out here the error and its frames are gone.
        _give_memory_back()
        raise _out_of_memory(said)

    return told


def _is_about_memory(error: MemoryError | RuntimeError) -> bool:
    """Whether an allocation failed: ``torch.OutOfMemoryError`` is a RuntimeError, others say so in text."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return bool(_ALLOCATION_FAILED.search(str(error)))


def _give_memory_back() -> None:
    """Frames may hang in a cycle, and CUDA's libraries allocate beside what torch keeps for itself."""
    gc.collect()
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        # While another thread records a step nothing can be given back.
        with suppress(RuntimeError):
            torch.cuda.empty_cache()


def _out_of_memory(said: str) -> OutOfMemory:
    amount = _AMOUNT.search(said)
    wanted = f" (wanted {amount[1]} more)" if amount else ""
    error = OutOfMemory(f"out of memory{wanted}: {NEED_LESS_MEMORY}")
    error.add_note(said)  # For the log: unlike the text it may hold paths.
    return error
