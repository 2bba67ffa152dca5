"""How many items fit is arithmetic; what it is of is asked of a device, here of one that is made up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from models.small_captioners import write_florence, write_smolvlm

from ssa.config import LARGEST_BATCHES
from ssa.device import Placement
from ssa.loading import load_stages
from ssa.models import fitting as module
from ssa.models.chat import ChatCaptioner
from ssa.models.fitting import MOST_POINTS, SHARE, CudaMeter, fitted, fitting
from ssa.models.florence import FlorenceCaptioner
from ssa.stages import Captioner, Stages
from ssa.weights import choose_bundle, default_root
from tests.fakes import FakeDenseRanker

on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
MEGABYTE = 2**20


@given(st.integers(0, 2**40), st.floats(1, 1e12), st.integers(1, 4096))
def test_what_fits_takes_no_more_than_its_share(free: int, each: float, most: int) -> None:
    count = fitting(free, each, most)
    assert 1 <= count <= most
    assert count == 1 or count * each <= SHARE * free
    assert count == most or (count + 1) * each > SHARE * free


def test_items_that_take_nothing_are_as_many_as_there_may_be() -> None:
    assert fitting(100, 0.0, 7) == fitting(0, -1.0, 7) == 7


class MadeUp:
    """A device on which each step takes so many megabytes more for the larger of its two trials."""

    def __init__(self, free_mb: int, growths_mb: list[int]) -> None:
        self._free_mb = free_mb
        self._peaks: Iterator[int] = iter(
            [peak for growth in growths_mb for peak in (5, 5 + growth)]
        )

    def free_bytes(self) -> int:
        return self._free_mb * MEGABYTE

    def peak_bytes(self, work: Callable[[], object]) -> int:
        work()
        return next(self._peaks) * MEGABYTE


@pytest.fixture(autouse=True)
def _small_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a GPU tries in a moment takes a processor half a minute."""
    monkeypatch.setattr(module, "TRIAL_PX", 256)


@pytest.fixture(scope="module")
def stages() -> Stages:
    bundle = choose_bundle(default_root(), "tiny")
    bulk = Placement(torch.device("cpu"), torch.float32, bulk=True)
    stages = load_stages(bundle, bundle.spec.settings, bulk)
    return replace(stages, proposers={"sam": stages.proposers["sam"]})


def test_each_step_gets_what_its_items_leave_room_for(stages: Stages) -> None:
    settings = choose_bundle(default_root(), "tiny").spec.settings
    # 8 items more take 80 MB in captions, 8 in ranking, 800 in choosing; 192 points more take 1,920.
    found = fitted(stages, settings, MadeUp(1000, [80, 8, 800, 1920]))
    assert (found.batches.captioner, found.batches.ranker, found.batches.chooser) == (32, 128, 4)
    assert stages.proposers["sam"].points_at_once == 32  # type: ignore[attr-defined]
    assert replace(found, batches=settings.batches) == settings


def test_a_large_device_gets_the_largest_batches_and_no_larger(stages: Stages) -> None:
    settings = choose_bundle(default_root(), "tiny").spec.settings
    assert fitted(stages, settings, MadeUp(10**6, [80, 8, 800, 1920])).batches == LARGEST_BATCHES
    assert stages.proposers["sam"].points_at_once == MOST_POINTS  # type: ignore[attr-defined]


def test_a_dense_ranker_has_no_batches_to_fit(stages: Stages) -> None:
    settings = choose_bundle(default_root(), "tiny").spec.settings
    dense = FakeDenseRanker()
    both = replace(stages, captioner=None, proposers={}, ranker=dense, chooser=dense)
    assert fitted(both, settings, MadeUp(1000, [])) == settings
    assert not dense.looks


@pytest.mark.parametrize(
    ("write", "load"),
    [(write_florence, FlorenceCaptioner.load), (write_smolvlm, ChatCaptioner.load)],
    ids=["florence2", "smolvlm"],
)
def test_any_captioner_is_tried(
    stages: Stages,
    write: Callable[[Path], None],
    load: Callable[[Path, Placement, int], Captioner],
    tmp_path: Path,
) -> None:
    write(tmp_path)
    captioner = load(tmp_path, Placement(torch.device("cpu"), torch.float32, bulk=True), 4)
    settings = choose_bundle(default_root(), "tiny").spec.settings
    others = replace(stages, captioner=captioner, chooser=None, proposers={})
    assert fitted(others, settings, MadeUp(1000, [80, 8])).batches.captioner == 32


@on_a_gpu
def test_a_limit_leaves_what_the_weights_dont_take() -> None:
    device = torch.device("cuda")
    held = torch.empty(64 * MEGABYTE, dtype=torch.uint8, device=device)
    taken = torch.cuda.memory_allocated(device)
    assert CudaMeter(device, taken + 10 * MEGABYTE).free_bytes() == 10 * MEGABYTE
    assert CudaMeter(device, 1).free_bytes() == 0
    work = lambda: torch.empty(32 * MEGABYTE, dtype=torch.uint8, device=device)  # noqa: E731
    assert CudaMeter(device).peak_bytes(work) == 32 * MEGABYTE
    del held
