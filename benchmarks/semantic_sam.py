"""Semantic-SAM at its published size, with random weights: seconds of each step, and what carries most of it.

    PYTHONPATH=. .venv/bin/python -m benchmarks.semantic_sam

Deformable attention, most of the pixel decoder's work, is timed beside the way transformers does it: a
``grid_sample`` for each level. Both read the same numbers, by turns in one process.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from transformers.models.deformable_detr.modeling_deformable_detr import (
    MultiScaleDeformableAttention,
)

from benchmarks.measure import PeakMemory, now
from benchmarks.report import machine, versions
from ssa.device import choose_placement
from ssa.models.semantic_sam import SemanticSamArchitecture, SemanticSamMaskProposer, build
from ssa.models.shared.deformable import deformable_attention

SWIN_T = SemanticSamArchitecture(96, (2, 2, 6, 2), (3, 6, 12, 24), 7)
PICTURE_HW = (640, 853)
# Its maps at 1/64, 1/32, 1/16 and 1/8, padded to multiples of 32.
SIZES_HW = ((10, 14), (20, 27), (40, 54), (80, 108))
CELLS = sum(height * width for height, width in SIZES_HW)
HEADS, CHANNELS, POINTS = 8, 32, 4
REPEATS = 3


def main() -> None:
    """Print a table of what was measured."""
    placement = choose_placement(None, "float32")
    print(f"{machine(placement.device)}; {versions()}; {torch.get_num_threads()} threads")
    for what, queries in (("pixel decoder's", CELLS), ("200 clicks'", 1200)):
        ours, theirs = _deformable(queries, placement.device)
        print(
            f"deformable attention, the {what} {queries} queries: {ours * 1000:.0f} ms, "
            f"by grid_sample {theirs * 1000:.0f} ms: {theirs / ours:.1f}"
        )
    torch.manual_seed(0)
    proposer = SemanticSamMaskProposer(build(SWIN_T), placement)
    picture = np.random.default_rng(0).integers(0, 256, (*PICTURE_HW, 3), dtype=np.uint8)
    memory = PeakMemory(placement.device)
    memory.start()
    embedding = proposer.embed(picture)
    steps: dict[str, Callable[[], object]] = {
        "looking at the picture": lambda: proposer.embed(picture),
        "1 click": lambda: proposer.decode(embedding, _points(1)).ious.sum().item(),
        "200 clicks": lambda: proposer.decode(embedding, _points(200)).ious.sum().item(),
    }
    for name, step in steps.items():
        print(f"{name}: {_seconds(step, placement.device):.2f} s")
    print(f"memory at its highest, over weights and picture: {memory.read() / 2**20:.0f} MB")


def _points(count: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.random.default_rng(1).random((count, 2)) * PICTURE_HW[::-1]


def _deformable(queries: int, device: torch.device) -> tuple[float, float]:
    """Seconds of both ways on equal numbers, which must come out equal."""
    chance = torch.Generator().manual_seed(0)
    values = torch.randn(1, CELLS, HEADS, CHANNELS, generator=chance).to(device)
    shape = 1, queries, HEADS, len(SIZES_HW), POINTS
    places = torch.rand(*shape, 2, generator=chance).to(device)
    weights = torch.rand(shape, generator=chance).to(device)

    def ours() -> Tensor:
        return deformable_attention(values, SIZES_HW, places, weights)

    def theirs() -> Tensor:
        # The tensors in the middle are for its compiled sibling; this way doesn't read them.
        read: Tensor = MultiScaleDeformableAttention()(
            values, torch.empty(0), list(SIZES_HW), torch.empty(0), places, weights, 64
        )
        return read

    torch.testing.assert_close(ours(), theirs(), atol=1e-4, rtol=1e-4)
    pairs = [(_seconds(ours, device, 1), _seconds(theirs, device, 1)) for _ in range(REPEATS)]
    return statistics.median(own for own, _ in pairs), statistics.median(its for _, its in pairs)


@torch.inference_mode()
def _seconds(step: Callable[[], object], device: torch.device, repeats: int = REPEATS) -> float:
    """The median of a few runs."""
    taken = []
    for _ in range(repeats):
        began = now(device)
        step()
        taken.append(now(device) - began)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
