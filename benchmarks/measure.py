"""What is measured and how: seconds, memory at its highest, floating-point operations, the machine's rate."""

from __future__ import annotations

import ctypes
import gc
import math
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

aten = torch.ops.aten

# Long enough to reach the machine's full rate, short enough to be repeated.
_MATMUL_SIDE = {"cpu": 1536, "cuda": 8192}
_MATMUL_REPEATS = 7


def now(device: torch.device) -> float:
    """Seconds on a clock that never goes back, read when ``device`` has finished its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


class PeakMemory:
    """The most memory a device holds at any time between ``start`` and ``read``, over what it held at rest.

    On a CPU: this process's resident set, whose high-water mark Linux keeps (elsewhere not a number).
    On CUDA: what torch has allocated.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._rest = math.nan

    def start(self) -> None:
        """Give back what is free, call what is left "at rest", and forget earlier peaks."""
        self._rest = resting_bytes(self._device)
        self.forget()

    def forget(self) -> None:
        """Give back what is free and forget peaks so far; what counts as rest stays."""
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
        else:
            _trim()
            _reset_high_water()

    def read(self) -> float:
        """Bytes from rest to the peak."""
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device) - self._rest
        return _status_bytes("VmHWM") - self._rest


def resting_bytes(device: torch.device) -> float:
    """What is held once all that is free has been given back to the system."""
    gc.collect()
    if device.type == "cuda":
        return float(torch.cuda.memory_allocated(device))
    _trim()
    return _status_bytes("VmRSS")


def _trim() -> None:
    """The allocator keeps freed pages, which would hide the next call's needs."""
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):  # another system's C library
        return


def _reset_high_water() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:  # another system, or a container that forbids it
        return


def _status_bytes(field: str) -> float:
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return math.nan
    line = next(line for line in status.splitlines() if line.startswith(f"{field}:"))
    return float(line.split()[1]) * 1024


class StageWatch:
    """Seconds by stage name, and if asked for floating-point operations and peak memory too.

    A stage may be entered many times: seconds and operations add up, of the peaks the highest stays.
    """

    def __init__(self, device: torch.device, *, counts: bool = False) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.operations: Counter[str] = Counter()
        self.peak_bytes: dict[str, float] = {}
        self._device = device
        self.counts = counts
        self._memory = PeakMemory(device)
        if counts:
            self._memory.start()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Whatever happens inside belongs to ``name``; stages don't nest."""
        began = now(self._device)
        if self.counts:
            self._memory.forget()
            with operations_counted() as counter:
                yield
            self.operations[name] += counter.get_total_flops()
            self.peak_bytes[name] = max(self.peak_bytes.get(name, 0.0), self._memory.read())
        else:
            yield
        self.seconds[name] += now(self._device) - began


def operations_counted() -> FlopCounterMode:
    """Counts multiplications and additions of matrix products, convolutions and attention, all devices.

    Torch's own counter knows CUDA's fused attention but neither the CPU's nor the fused layers of
    ``torch.nn``; their formulas are added here.
    """
    return FlopCounterMode(
        display=False,
        custom_mapping={
            aten._scaled_dot_product_flash_attention_for_cpu: _attention,
            aten._native_multi_head_attention: _multi_head_attention,
            aten._transformer_encoder_layer_fwd: _encoder_layer,
        },
    )


def _attention(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    return int(sdpa_flop_count(query, key, value))  # type: ignore[no-untyped-call]


def _multi_head_attention(
    query: Any, key: Any, value: Any, embed_dim: int, *_: Any, **__: Any
) -> int:
    """Four projections and the two products; shapes are (N, L, E)."""
    n, queries, _channels = query
    keys = key[1]
    projections = 2 * n * embed_dim * embed_dim * (2 * queries + 2 * keys)
    return int(projections + 4 * n * queries * keys * embed_dim)


def _encoder_layer(src: Any, embed_dim: int, *rest: Any, **__: Any) -> int:
    """Attention, then the two matrices of the perceptron."""
    n, tokens, _channels = src
    # The first matrix of the perceptron: its shape stands where the schema has ``ffn_weight_1``.
    hidden = rest[_FFN_WEIGHT][0]
    perceptron = 4 * n * tokens * embed_dim * hidden
    return _multi_head_attention(src, src, src, embed_dim) + int(perceptron)


_FFN_WEIGHT = [
    argument.name for argument in aten._transformer_encoder_layer_fwd.default._schema.arguments
].index("ffn_weight_1") - 2


def matrix_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Floating-point operations a second in a product of large square matrices: the median of some."""
    side = _MATMUL_SIDE.get(device.type, _MATMUL_SIDE["cpu"])
    left, right = torch.ones(2, side, side, dtype=dtype, device=device)
    seconds = []
    for _ in range(_MATMUL_REPEATS):
        began = now(device)
        left @ right
        seconds.append(now(device) - began)
    return 2 * side**3 / statistics.median(seconds)
