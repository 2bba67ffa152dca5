"""Separable resizing as numbers: which old lines each new line takes of, and how much of each.

The rule is torch's own for ``interpolate`` with ``antialias=True`` (and Pillow's, whose it follows): where a
side shrinks, the kernel is as much wider. Written out for many resizings at once, in a few operations on the
device whatever their number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode

# Keys' parameter: what torch and Pillow take where they antialias.
CUBIC_A = -0.5


@dataclass(frozen=True, slots=True)
class Spans:
    """Stretches of lines, each to be resized.

    ``numbers`` (4, ..) are whole: where each stretch begins, how many lines it has, how many new ones these
    become, and of these the first that is wanted. ``most_taps`` is of how many old lines a new one takes at
    most.
    """

    numbers: Tensor
    most_taps: int


def most_taps(lengths: Sequence[int], sizes: Sequence[int], kind: InterpolationMode) -> int:
    """Of how many old lines a new one takes at most, for resizings from ``lengths`` to ``sizes``."""
    shrink = max(max(pair[0] / pair[1] for pair in zip(lengths, sizes, strict=True)), 1.0)
    return math.ceil(_REACH[kind] * shrink) * 2 + 1


def taps(spans: Spans, wanted: int, kind: InterpolationMode) -> tuple[Tensor, Tensor]:
    """Old lines (.., wanted, K) int64 and the share of each (.., wanted, K) float32, which sum to 1.

    Lines past the last that counts have share 0, and are real lines all the same.
    """
    start, length, size, skip = spans.numbers[..., None, None].unbind()
    number = torch.arange(0.5, wanted, device=start.device).view(-1, 1)
    tap = torch.arange(spans.most_taps, device=start.device)
    scale = length / size
    spread = scale.clamp(min=1.0)
    # Where a new line's middle lies among the middles of old ones.
    centre = scale * (number + skip) - 0.5
    first = (centre - _REACH[kind] * spread + 1).floor_().clamp_(min=0.0)
    line, last = first + tap, length - 1
    share = _KERNELS[kind](((line - centre) / spread).abs_()).mul_(line <= last)
    return line.minimum(last).long() + start, share / share.sum(-1, keepdim=True)


def as_matrices(lines: Tensor, shares: Tensor, old: int) -> Tensor:
    """The same as dense matrices (.., wanted, old): new lines are their product with old ones."""
    return shares.new_zeros(*lines.shape[:-1], old).scatter_add_(-1, lines, shares)


def _triangle(distance: Tensor) -> Tensor:
    return (1 - distance).clamp_(min=0.0)


def _cubic(distance: Tensor) -> Tensor:
    near = ((CUBIC_A + 2) * distance - (CUBIC_A + 3)) * distance * distance + 1
    far = (((distance - 5) * distance + 8) * distance - 4) * CUBIC_A
    return torch.where(distance < 1, near, far.mul_(distance < 2))


_KERNELS: dict[InterpolationMode, Callable[[Tensor], Tensor]] = {
    InterpolationMode.BILINEAR: _triangle,
    InterpolationMode.BICUBIC: _cubic,
}
_REACH = {InterpolationMode.BILINEAR: 1.0, InterpolationMode.BICUBIC: 2.0}
