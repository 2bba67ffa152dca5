"""What a GPU would be asked to do, counted on any machine: operations launched, and waits for the device.

Each operation that Python hands to torch is a launch on a GPU, some ten microseconds whatever its size; each
value that is read back makes Python wait until all before it is done. Neither needs a GPU to be counted:
the models work in bulk on the CPU, with the batches that a GPU gets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

from ssa.config import LARGEST_BATCHES, Settings
from ssa.device import Placement
from ssa.engine import Engine
from ssa.loading import load_stages
from ssa.models.promptable.amg import no_progress
from ssa.types import MaskProposal, RGBImage
from ssa.weights import Bundle

# What makes Python wait for the device, asked of a tensor that lies there.
_WAITS = {
    *("cpu", "numpy", "item", "tolist", "nonzero", "unique", "unique_consecutive"),
    *("__bool__", "__int__", "__float__", "__index__", "__array__"),
}

# What makes a tensor on the host, unless a device is named.
_BEGINS = {"tensor", "as_tensor", "from_numpy"}


class _Launches(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.of: Counter[str] = Counter()

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        self.of[str(func)] += 1
        return func(*args, **(kwargs or {}))


class _Transfers(TorchFunctionMode):
    """Counts what goes to the device, what is read from it and what waits for it.

    Where all is one CPU, a tensor is on the host if it was made there of plain numbers or read back, or if
    it came of such; all others count as the device's.
    """

    def __init__(self) -> None:
        super().__init__()
        self.of: Counter[str] = Counter()

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        name, kwargs = getattr(func, "__name__", ""), kwargs or {}
        named = "device" in kwargs or (name == "to" and _names_device(args[1:]))
        on_host = name in _BEGINS or any(map(_is_on_host, args))
        waits = name in _WAITS or (name == "__getitem__" and _picks_by_flags(args[1]))
        if (named and (on_host or name == "new_tensor")) or (waits and not on_host):
            self.of[name] += 1
        result = func(*args, **kwargs)
        if isinstance(result, Tensor):
            if any(result is one for one in args):  # A copy that one CPU needn't make.
                with _disable_current_modes():
                    result = result.view_as(result)
            result.is_on_host = name == "cpu" or (on_host and not named)  # type: ignore[attr-defined]
        return result


def _is_on_host(value: Any) -> bool:
    return isinstance(value, Tensor) and getattr(value, "is_on_host", False)


def _names_device(values: tuple[Any, ...]) -> bool:
    return any(isinstance(value, torch.device | str) for value in values)


def _picks_by_flags(index: Any) -> bool:
    """Whether reading by this index waits to learn how many there are."""
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(part, Tensor) and part.dtype == torch.bool for part in parts)


@contextmanager
def counted() -> Iterator[tuple[Counter[str], Counter[str]]]:
    """Operations by name, and transfers and waits by the call that makes them, inside the block."""
    launches, transfers = _Launches(), _Transfers()
    plain = torch.from_numpy

    def from_numpy(array: Any) -> Tensor:
        made = plain(array)
        made.is_on_host = True  # type: ignore[attr-defined]  # Function modes don't hear of this one.
        return made

    with patch.object(torch, "from_numpy", from_numpy), transfers, launches:
        yield launches.of, transfers.of


def dispatch_figures(
    bundle: Bundle, settings: Settings, image: RGBImage, masks: Sequence[MaskProposal]
) -> dict[str, float | str]:
    """``label.dispatches``, ``label.transfers`` and the same of ``amg``, with a bundle's models on the CPU.

    Counted on the second of two runs: what is kept from picture to picture, as texts are, costs no more.
    """
    stages = load_stages(bundle, settings, Placement(torch.device("cpu"), torch.float32, bulk=True))
    settings = replace(settings, batches=LARGEST_BATCHES)
    engine, proposer = Engine(stages), stages.proposers["sam"]
    work: dict[str, Callable[[], Any]] = {
        "label": lambda: engine.label(image, masks, settings),
        "amg": lambda: proposer.propose(image, settings.masks["sam"], no_progress),
    }
    figures: dict[str, float | str] = {}
    for name, run in work.items():
        run()
        with counted() as (launches, transfers):
            run()
        figures[f"{name}.dispatches"] = launches.total()
        figures[f"{name}.transfers"] = transfers.total()
    return figures
