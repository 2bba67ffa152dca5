"""What reaches a layer: the means to look inside a model without replacing any of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from ssa.types import RGBImage


@contextmanager
def inputs_of(layer: torch.nn.Module) -> Iterator[list[torch.Tensor]]:
    """The first tensor of each call of ``layer`` inside the block."""
    seen: list[torch.Tensor] = []

    def note(_: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        seen.append(next(x for x in (*args, *kwargs.values()) if isinstance(x, torch.Tensor)))

    handle = layer.register_forward_pre_hook(note, with_kwargs=True)
    try:
        yield seen
    finally:
        handle.remove()


def red(height: int, width: int) -> RGBImage:
    """A pure red picture."""
    return np.full((height, width, 3), (255, 0, 0), dtype=np.uint8)


def assert_is_red(pixels: torch.Tensor, mean: Sequence[float], std: Sequence[float]) -> None:
    """``pixels`` (N, 3, h, w) are red, then green, then blue, each normalised by its own numbers."""
    expected = (torch.tensor([1.0, 0.0, 0.0]) - torch.tensor(mean)) / torch.tensor(std)
    torch.testing.assert_close(
        pixels, expected[None, :, None, None].expand_as(pixels), atol=0.02, rtol=0
    )


def noise(height: int, width: int, seed: int = 0) -> RGBImage:
    """A picture of coloured blocks, so that resizing leaves something to see."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    rows, columns = (np.arange(side) * 4 // side for side in (height, width))
    return blocks[rows][:, columns]


# The crops an engine can meet: slivers of 1 and 3 pixels look like channels first to the libraries.
ODD_SIZES_HW = [(1, 1), (1, 50), (50, 1), (3, 40), (40, 3), (33, 70)]
