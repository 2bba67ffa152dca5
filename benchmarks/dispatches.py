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

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks.transfers import transfers_counted
from ssa.config import LARGEST_BATCHES, Settings
from ssa.device import Placement
from ssa.engine import Engine
from ssa.loading import load_stages
from ssa.models.promptable.amg import no_progress
from ssa.types import MaskProposal, RGBImage
from ssa.weights import Bundle


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


@contextmanager
def counted() -> Iterator[tuple[Counter[str], Counter[str]]]:
    """Operations by name, and transfers and waits by the call that makes them, inside the block."""
    launches = _Launches()
    with transfers_counted() as transfers, launches:
        yield launches.of, transfers


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
