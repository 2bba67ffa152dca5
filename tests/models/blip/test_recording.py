"""What is recorded does what it did piece by piece; what can't be recorded still does it."""

from __future__ import annotations

import logging

import pytest
import torch

from ssa.models.blip.recording import recorded

on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@on_a_gpu
def test_a_recording_goes_on_from_where_its_memory_is() -> None:
    total, step = torch.zeros(2, 1, device="cuda").unbind()

    def work() -> None:
        step.add_(1)
        total.add_(step)

    play = recorded(work, step.zero_, total.device)
    total.zero_()
    step.zero_()
    for _ in range(4):
        play()
    assert (total.item(), step.item()) == (10, 4)


@on_a_gpu
def test_work_that_asks_the_device_is_left_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    total = torch.zeros(1, device="cuda")

    def work() -> None:
        total.add_(total.item() + 1)

    with caplog.at_level(logging.WARNING, "ssa"):
        assert recorded(work, total.zero_, total.device) is work
    assert "can't be recorded" in caplog.text


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a CUDA device")
def test_without_a_device_to_record_on_the_work_is_left_as_it_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    work = torch.zeros(1).zero_
    with caplog.at_level(logging.WARNING, "ssa"):
        assert recorded(work, work, torch.device("cuda")) is work
    assert "can't be recorded" in caplog.text
