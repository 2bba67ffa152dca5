"""The instruments, held to what is known: an allocation's size and a product's operations."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from benchmarks.measure import PeakMemory, StageWatch, matrix_rate, now, operations_counted

CPU = torch.device("cpu")
MEBIBYTE = 2**20
linux = pytest.mark.skipif(sys.platform != "linux", reason="the high-water mark is Linux's")


@linux
def test_a_peak_is_seen_though_it_is_over_and_forgotten_when_told_so() -> None:
    memory = PeakMemory(CPU)
    memory.start()
    np.ones(200 * MEBIBYTE, np.uint8)
    assert memory.read() == pytest.approx(200 * MEBIBYTE, rel=0.05)
    memory.start()
    assert memory.read() < 20 * MEBIBYTE


@linux
def test_what_is_held_at_the_start_is_no_part_of_the_peak() -> None:
    held = np.ones(100 * MEBIBYTE, np.uint8)
    memory = PeakMemory(CPU)
    memory.start()
    assert memory.read() < 20 * MEBIBYTE
    assert held.all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_a_peak_on_cuda() -> None:
    device = torch.device("cuda")
    memory = PeakMemory(device)
    memory.start()
    torch.ones(200 * MEBIBYTE, dtype=torch.uint8, device=device)
    assert memory.read() == pytest.approx(200 * MEBIBYTE, rel=0.05)


X = torch.ones(3, 50, 64)
Q = torch.ones(2, 4, 30, 16)
# A product of (a, b) and (b, c) takes 2 a b c.
ATTENTION = 2 * 2 * (2 * 4 * 30 * 30 * 16)
HEADS = 4 * 2 * (3 * 50 * 64 * 64) + 2 * 2 * (3 * 50 * 50 * 64)


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        (lambda: torch.ones(7, 11) @ torch.ones(11, 13), 2 * 7 * 11 * 13),
        (lambda: functional.linear(X, torch.ones(8, 64)), 2 * 3 * 50 * 64 * 8),
        (lambda: functional.conv2d(torch.ones(1, 3, 9, 9), torch.ones(5, 3, 2, 2)), 2 * 64 * 60),
        (lambda: functional.scaled_dot_product_attention(Q, Q, Q), ATTENTION),
        (
            lambda: functional.scaled_dot_product_attention(
                Q.bfloat16(), Q.bfloat16(), Q.bfloat16(), attn_mask=torch.zeros(30, 30).bfloat16()
            ),
            ATTENTION,
        ),
        (
            lambda: nn.MultiheadAttention(64, 4, batch_first=True).eval()(
                X, X, X, need_weights=False
            ),
            HEADS,
        ),
        (
            lambda: nn.TransformerEncoderLayer(64, 4, 100, batch_first=True).eval()(X),
            HEADS + 2 * 2 * (3 * 50 * 64 * 100),
        ),
        (lambda: X + X, 0),
    ],
    ids=["product", "linear", "convolution", "attention", "masked", "heads", "layer", "sum"],
)
@torch.inference_mode()
def test_operations_are_those_by_hand(work: Callable[[], object], expected: int) -> None:
    with operations_counted() as counter:
        work()
    assert counter.get_total_flops() == expected


def test_a_stage_entered_twice_adds_up() -> None:
    watch = StageWatch(CPU, counts=True)
    for size in (200, 100):
        with watch.stage("a"):
            torch.ones(size, 10) @ torch.ones(10, 10)
    with watch.stage("b"):
        np.ones(50 * MEBIBYTE, np.uint8)
    assert watch.operations == {"a": 2 * 300 * 100, "b": 0}
    assert set(watch.seconds) == {"a", "b"}
    if sys.platform == "linux":
        assert watch.peak_bytes["b"] > 45 * MEBIBYTE > watch.peak_bytes["a"]


def test_a_watch_that_does_not_count_tells_the_time_only() -> None:
    watch = StageWatch(CPU)
    with watch.stage("a"):
        torch.ones(3, 3) @ torch.ones(3, 3)
    assert watch.seconds["a"] > 0
    assert not watch.operations
    assert not watch.peak_bytes


def test_the_machine_multiplies() -> None:
    began = now(CPU)
    rate = matrix_rate(CPU, torch.float32)
    # It can't have done more in the time there was.
    assert rate * (now(CPU) - began) > 2 * 1536**3
