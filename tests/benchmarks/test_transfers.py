"""On which side a tensor counts as lying, and what of the calls moves or waits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.transfers import HOST, transfers_counted
from ssa.models.shared.uploading import upload

DEVICE = torch.device("cpu")
VALUES, FLAGS, PLACES = torch.ones(4), torch.tensor([True, False, True, False]), torch.arange(4)


def moved(work: Callable[[], object]) -> dict[str, int]:
    with transfers_counted() as transfers, torch.inference_mode():
        work()
    return dict(transfers)


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.eye(3),
        lambda: torch.arange(3),
        lambda: torch.zeros(3),
        lambda: torch.linspace(0, 1, 3),
        lambda: torch.tensor([1.0]),
        lambda: torch.from_numpy(np.zeros(3)),
        lambda: torch.frombuffer(bytearray(4), dtype=torch.uint8),
    ],
)
def test_what_is_told_no_device_is_made_on_the_host(make: Callable[[], Tensor]) -> None:
    assert moved(lambda: make().numpy()) == {}
    assert moved(lambda: functional.relu(make() * 2).tolist()) == {}
    assert moved(lambda: make().to(DEVICE).cpu()) == {"to": 1, "cpu": 1}


def test_what_is_told_a_device_is_made_there_and_only_given_numbers_are_sent() -> None:
    assert moved(lambda: torch.arange(3, device=DEVICE)) == {}
    assert moved(lambda: torch.zeros(3, device=DEVICE).tolist()) == {"tolist": 1}
    assert moved(lambda: torch.tensor([1, 2], device=DEVICE)) == {"tensor": 1}
    assert moved(lambda: torch.tensor([1, 2], device=HOST).tolist()) == {}


def test_what_is_made_like_a_tensor_lies_beside_it() -> None:
    assert moved(lambda: VALUES.new_tensor([1, 2])) == {"new_tensor": 1}
    assert moved(lambda: torch.zeros(1).new_tensor([1, 2]).tolist()) == {}
    assert moved(lambda: torch.arange(2, device=torch.zeros(1).device).tolist()) == {}
    assert moved(lambda: torch.arange(2, device=VALUES.device).tolist()) == {"tolist": 1}


def test_a_picture_is_sent_once_and_lies_on_the_device() -> None:
    picture = np.zeros((2, 3, 3), np.uint8)
    assert moved(lambda: upload(picture, DEVICE).float().sum().item()) == {"to": 1, "item": 1}


def test_tensors_in_lists_are_seen() -> None:
    host: Callable[[], list[Tensor]] = lambda: [torch.zeros(2), torch.ones(2)]  # noqa: E731
    assert moved(lambda: torch.stack(host()).tolist()) == {}
    assert moved(lambda: torch.cat(host()).split(1)[0].item()) == {}
    assert moved(lambda: torch.stack([VALUES, VALUES]).unbind()[0].cpu()) == {"cpu": 1}


def test_a_number_of_the_host_beside_the_device_s_leaves_the_result_there() -> None:
    assert moved(lambda: (VALUES * torch.tensor(2.0)).tolist()) == {"tolist": 1}


@pytest.mark.parametrize(
    ("work", "told"),
    [
        (lambda: VALUES[FLAGS], {"__getitem__": 1}),
        (lambda: VALUES[PLACES], {}),
        (lambda: VALUES[[0, 1]], {"__getitem__": 1}),
        (lambda: VALUES[np.array([0, 1])], {"__getitem__": 1}),
        (lambda: VALUES[torch.arange(2)], {"__getitem__": 1}),
        (lambda: VALUES.clone().__setitem__(FLAGS, 0), {}),
        (lambda: VALUES.clone().__setitem__(FLAGS, VALUES[:2]), {"__setitem__": 1}),
        (lambda: VALUES.clone().copy_(torch.zeros(4)), {"copy_": 1}),
        (lambda: torch.where(FLAGS), {"where": 1}),
        (lambda: torch.where(FLAGS, VALUES, 0), {}),
        (lambda: torch.equal(VALUES, VALUES), {"equal": 1}),
        (lambda: VALUES.repeat_interleave(2), {}),
        (lambda: VALUES.repeat_interleave(PLACES), {"repeat_interleave": 1}),
        (lambda: VALUES.repeat_interleave(PLACES, output_size=6), {}),
    ],
)
def test_what_waits_or_sends_without_saying_so(
    work: Callable[[], object], told: dict[str, int]
) -> None:
    assert moved(work) == told


def test_code_goes_the_device_s_way() -> None:
    seen: list[bool] = []
    moved(lambda: seen.extend([VALUES.is_cpu, (VALUES + 1).is_cpu, VALUES.cpu().is_cpu]))
    moved(lambda: seen.append(torch.zeros(1).add_(1).is_cpu))
    assert seen == [False, False, True, True]
    assert VALUES.is_cpu
    assert torch.from_numpy.__name__ == "from_numpy"
