"""Work on fixed memory, recorded once on a CUDA device and from then on played back as a single launch.

After PyTorch's documentation of CUDA graphs: a few runs on a side stream first, so that libraries have set
themselves up, then the capture.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch

logger = logging.getLogger(__name__)

# Runs before the capture: libraries choose their kernels and take their memory in these.
WARM_UPS = 3


def recorded(
    work: Callable[[], None], prepare: Callable[[], object], device: torch.device
) -> Callable[[], None]:
    """``work`` as something to play back; where it can't be recorded itself, with one line in the log.

    It must always use the same memory and never ask the device for a number. ``prepare`` is called before
    each of the runs that come before the recording; what these leave behind is the caller's to clear.
    """
    try:
        with torch.cuda.device(device):
            return _captured(work, prepare)
    except RuntimeError as error:
        logger.warning("a step can't be recorded, so its parts are launched one by one: %s", error)
        return work


def _captured(work: Callable[[], None], prepare: Callable[[], object]) -> Callable[[], None]:
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM_UPS):
            prepare()
            work()
    torch.cuda.current_stream().wait_stream(side)
    prepare()
    graph = torch.cuda.CUDAGraph()
    # Other threads may allocate meanwhile.
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        work()
    return graph.replay
