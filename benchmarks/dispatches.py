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
from torch.utils._python_dispatch import TorchDispatchMode

from ssa.config import LARGEST_BATCHES, Settings
from ssa.device import Placement
from ssa.engine import Engine
from ssa.loading import load_stages
from ssa.models.promptable.amg import no_progress
from ssa.types import MaskProposal, RGBImage
from ssa.weights import Bundle

# Methods of tensors and functions of torch that bring numbers to the device or wait for some of it.
_MOVES = {
    "numpy",
    "item",
    "tolist",
    "nonzero",
    "unique",
    "tensor",
    "as_tensor",
    "new_tensor",
    "pin_memory",
}
_WAITS = {"__bool__", "__int__", "__float__", "__index__", "__array__"}


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
        name = getattr(func, "__name__", "")
        if name in _MOVES | _WAITS or (name == "__getitem__" and _picks_by_flags(args[1])):
            self.of[name] += 1
        return func(*args, **(kwargs or {}))


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
        transfers.of["from_numpy"] += 1  # The one way in that function modes don't hear of.
        return plain(array)

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
