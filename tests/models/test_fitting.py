"""How many items fit is arithmetic; what it is of is asked of a device, here of one that is made up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from models.small_captioners import write_florence, write_smolvlm
from numpy.typing import NDArray

from ssa.config import LARGEST_BATCHES
from ssa.device import Placement
from ssa.loading import load_stages
from ssa.models import fitting as module
from ssa.models.chat import ChatCaptioner
from ssa.models.fitting import MOST_POINTS, SHARE, CudaMeter, fitted, fitting
from ssa.models.florence import FlorenceCaptioner
from ssa.models.sam import SamMaskProposer
from ssa.models.sam.decoder import DecodedPoints
from ssa.models.sam.proposer import CropEmbedding
from ssa.stages import Captioner, Stages
from ssa.weights import choose_bundle, default_root
from tests.fakes import FakeDenseRanker
from tests.models.spying import inputs_of

on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
MEGABYTE = 2**20


@given(st.integers(0, 2**40), st.integers(1, 10**12), st.integers(1, 4096))
@example(715, 2, 325)
def test_what_fits_takes_no_more_than_its_share(free: int, each: int, most: int) -> None:
    count = fitting(free, each, most)
    assert 1 <= count <= most
    assert count == 1 or count * each <= SHARE * free
    assert count == most or (count + 1) * each > SHARE * free


def test_items_that_take_nothing_are_as_many_as_there_may_be() -> None:
    assert fitting(100, 0.0, 7) == fitting(0, -1.0, 7) == 7


class MadeUp:
    """A device on which runs hold so many megabytes at most, one after the other."""

    def __init__(self, free_mb: int, peaks_mb: list[int]) -> None:
        self._free_mb = free_mb
        self._peaks: Iterator[int] = iter(peaks_mb)

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
    # An item takes 10 MB in captions, 1 in ranking, 100 in choosing; a point 10. All first hold 5 MB more.
    captions, ranking, choosing = [25, 25, 105], [7], [205, 205, 1005]
    points = [645, 645, 2565]
    found = fitted(stages, settings, MadeUp(1000, [*captions, *ranking, *choosing, *points]))
    assert (found.batches.captioner, found.batches.ranker, found.batches.chooser) == (32, 128, 4)
    assert stages.proposers["sam"].points_at_once == 32  # type: ignore[attr-defined]
    assert replace(found, batches=settings.batches) == settings


def test_a_large_device_gets_the_largest_batches_and_no_larger(stages: Stages) -> None:
    settings = choose_bundle(default_root(), "tiny").spec.settings
    # One run each: even if all that it held were for its items, there would be room for the most.
    assert fitted(stages, settings, MadeUp(10**6, [25, 7, 205, 645])).batches == LARGEST_BATCHES
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
    assert fitted(others, settings, MadeUp(1000, [25, 25, 105, 7])).batches.captioner == 32


class Linear:
    """A device on which so many bytes are held whatever there is to do, and so many for each item."""

    def __init__(self, free: int, once: int, each: int) -> None:
        self._free, self._once, self._each = free, once, each
        self.runs: list[int] = []

    def free_bytes(self) -> int:
        return self._free

    def peak_bytes(self, work: Callable[[], object]) -> int:
        work()
        return self._once + self._each * self.runs[-1]


@given(st.integers(0, 2**40), st.integers(0, 2**36), st.integers(1, 2**34), st.integers(1, 4096))
def test_one_run_or_three_find_the_same_room(free: int, once: int, each: int, most: int) -> None:
    meter = Linear(free, once, each)
    assert module._room(meter, free, meter.runs.append, (2, 10), most) == fitting(free, each, most)
    assert meter.runs in ([2], [2, 2, 10])


def test_points_are_tried_all_at_once_on_a_picture_that_is_looked_at_once(
    stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposer = stages.proposers["sam"]
    assert isinstance(proposer, SamMaskProposer)
    asked: list[int] = []
    decode = proposer.decode

    def counting(embedding: CropEmbedding, points_xy: NDArray[np.float64]) -> DecodedPoints:
        asked.append(len(points_xy))
        return decode(embedding, points_xy)

    monkeypatch.setattr(proposer, "decode", counting)
    proposer.points_at_once = 10
    alone = replace(stages, captioner=None, chooser=None, ranker=FakeDenseRanker())
    settings = choose_bundle(default_root(), "tiny").spec.settings
    with inputs_of(proposer.sam.image_encoder.patch_embed) as seen:
        fitted(alone, settings, MadeUp(1000, [645, 645, 2565]))
    assert asked == [64, 64, 256]
    assert len(seen) == 1


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
