"""Batches as large as the device has room for: what an item takes is measured once, after loading.

The runs that measure are also the first ones, in which libraries choose kernels and steps are recorded; so
whoever comes first afterwards waits no longer than others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch

from ssa.config import LARGEST_BATCHES, MaskSettings, Settings
from ssa.masks.run_lengths import encode
from ssa.models.promptable.amg import generate
from ssa.models.promptable.model import PromptableModel
from ssa.pictures.canvas import Canvas, Crops, MaskParts
from ssa.stages import DenseRanker, Stages

logger = logging.getLogger(__name__)

SHARE = 0.5
"""Of the free memory, what one step may take: another picture's step may be at work beside it."""

MOST_POINTS = 1024
"""Points that a mask model is asked at once: all of a usual grid."""

TRIAL_PX = 768
TRIAL_ITEMS = (2, 10)
TRIAL_SIDES = (8, 16)
"""The picture that is tried, and with how many items, or points a side, at first and then."""


class Meter(Protocol):
    """Knows a device's memory."""

    def free_bytes(self) -> int:
        """What may still be taken."""
        ...

    def peak_bytes(self, work: Callable[[], object]) -> int:
        """The most that ``work`` holds at any time, over what was held before."""
        ...


@dataclass(frozen=True, slots=True)
class CudaMeter:
    """A CUDA device, of which at most ``limit`` bytes may be used, weights and all."""

    device: torch.device
    limit: int | None = None

    def free_bytes(self) -> int:
        """What the device has free, or the limit leaves."""
        torch.cuda.empty_cache()
        free, _ = torch.cuda.mem_get_info(self.device)
        if self.limit is None:
            return free
        return max(0, min(free, self.limit - torch.cuda.memory_allocated(self.device)))

    def peak_bytes(self, work: Callable[[], object]) -> int:
        """As torch counts what it has allocated."""
        before = torch.cuda.memory_allocated(self.device)
        torch.cuda.reset_peak_memory_stats(self.device)
        work()
        return torch.cuda.max_memory_allocated(self.device) - before


def fitting(free_bytes: int, item_bytes: float, most: int) -> int:
    """How many items fit into a step's share of the memory: 1 at least, ``most`` at most."""
    if item_bytes <= 0:
        return most
    return max(1, min(most, int(SHARE * free_bytes / item_bytes)))


def fitted(stages: Stages, settings: Settings, meter: Meter) -> Settings:
    """The settings with batches that fit; mask models are told how many points do.

    Sizes are powers of two, so that steps recorded for one size serve many. Raises what a stage raises where
    not even a few items fit.
    """
    free = meter.free_bytes()
    most = LARGEST_BATCHES
    sizes: dict[str, int] = {}
    for name, step in _steps(stages, settings).items():
        sizes[name] = _power_of_two(_room(meter, free, step, TRIAL_ITEMS, getattr(most, name)))
    few, more = (side * side for side in TRIAL_SIDES)
    for source, proposer in stages.proposers.items():
        if isinstance(proposer, PromptableModel):
            step = _points_step(proposer, settings.masks[source])
            proposer.points_at_once = sizes[source] = _power_of_two(
                _room(meter, free, step, (few, more), MOST_POINTS)
            )
    logger.info("at once: %s", ", ".join(f"{size} {name}" for name, size in sizes.items()))
    batches = {name: size for name, size in sizes.items() if hasattr(most, name)}
    return replace(settings, batches=replace(settings.batches, **batches))


def _room(
    meter: Meter, free: int, step: Callable[[int], object], trials: tuple[int, int], most: int
) -> int:
    """How many items of a step there is room for, ``most`` at most.

    The first run also takes what is taken but once, so one item takes at most its share of that run's peak.
    Where there is room for the most even so, no more is to be learnt; else two runs tell what one item more
    takes.
    """
    few, more = trials
    if fitting(free, meter.peak_bytes(lambda: step(few)) / few, most) == most:
        return most
    small, large = (meter.peak_bytes(lambda count=count: step(count)) for count in trials)  # type: ignore[misc]
    return fitting(free, (large - small) / (more - few), most)


def _power_of_two(count: int) -> int:
    return 1 << (count.bit_length() - 1)


def _steps(stages: Stages, settings: Settings) -> Mapping[str, Callable[[int], object]]:
    """What each step on crops does with so many, each as large as they come: half of a picture.

    A dense ranker has no crops; it cuts its work by memory itself.
    """
    noise = np.random.default_rng(0).integers(0, 255, (TRIAL_PX, TRIAL_PX, 3), dtype=np.uint8)
    canvas, mask = Canvas(noise), np.zeros((TRIAL_PX, TRIAL_PX), np.bool_)
    half = (0, 0, TRIAL_PX, TRIAL_PX // 2)
    mask[: TRIAL_PX // 2 : 16] = True  # Two dozen runs a column: more than masks have.
    rle, labels = encode(mask), ("a", "b", "c", *map(str, range(7)))[: settings.labels.top_k]

    def crops(count: int) -> Crops:
        return Crops([canvas] * count, [half] * count)

    captioner, ranker, chooser = stages.captioner, stages.ranker, stages.chooser
    steps: dict[str, Callable[[int], object]] = {}
    if captioner:
        steps["captioner"] = lambda count: captioner.caption(crops(count))
    if not isinstance(ranker, DenseRanker):
        steps["ranker"] = lambda count: ranker.rank(crops(count), [labels] * count)
    if chooser and not isinstance(chooser, DenseRanker):
        steps["chooser"] = lambda count: chooser.choose(
            crops(count), MaskParts([rle] * count, [half] * count), [labels] * count
        )
    return steps


def _points_step(model: PromptableModel[Any], settings: MaskSettings) -> Callable[[int], object]:
    """Mask generation on noise, every mask of which passes; it is looked at here, once for all trials."""
    noise = np.random.default_rng(0).integers(0, 255, (TRIAL_PX, TRIAL_PX, 3), dtype=np.uint8)
    passing = replace(settings, pred_iou_thresh=0.0, stability_score_thresh=0.0, crop_n_layers=0)
    seen = model.embed(noise)

    def step(count: int) -> object:
        asked = replace(passing, points_per_side=int(count**0.5))
        model.points_at_once = count  # Fewer would hold less, and what one takes would seem little.
        return generate(model, noise, asked, whole=seen)

    return step
