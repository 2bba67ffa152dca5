"""Separable resizing as numbers is what torch makes of one line after the other."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional
from torchvision.transforms.v2 import InterpolationMode

from ssa.models.shared.taps import Spans, as_matrices, most_taps, taps

KINDS = st.sampled_from([InterpolationMode.BILINEAR, InterpolationMode.BICUBIC])


@given(
    resizings=st.lists(st.tuples(st.integers(1, 90), st.integers(8, 60)), min_size=1, max_size=4),
    kind=KINDS,
    start=st.integers(0, 5),
    skip=st.integers(0, 3),
)
def test_lines_are_those_of_interpolate(
    resizings: list[tuple[int, int]], kind: InterpolationMode, start: int, skip: int
) -> None:
    lengths, sizes = zip(*resizings, strict=True)
    old, wanted = start + max(lengths), 5
    numbers = torch.tensor([(start, *pair, skip) for pair in resizings]).T
    spans = Spans(numbers, most_taps(lengths, sizes, kind))
    lines, shares = taps(spans, wanted, kind)
    assert int(lines.min()) >= start
    assert bool((lines.amax((1, 2)) < start + numbers[1]).all())
    matrices = as_matrices(lines, shares, old)
    values = torch.rand(old, generator=torch.Generator().manual_seed(old))
    for matrix, (length, size) in zip(matrices, resizings, strict=True):
        # Four columns alike: of one, torch's kernel takes rows for channels.
        part = values[start : start + length].view(1, 1, -1, 1).expand(-1, -1, -1, 4).contiguous()
        theirs = functional.interpolate(part, (size, 4), mode=kind.value, antialias=True)
        torch.testing.assert_close(
            matrix @ values, theirs[0, 0, skip : skip + wanted, 0], atol=2e-6, rtol=0
        )
