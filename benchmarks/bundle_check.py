"""What is measured of one loaded bundle on a GPU that is lent for minutes, each figure a step of its own."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.compare import our_labelling, share_equal
from benchmarks.contenders import Contenders
from benchmarks.drawn_masks import draw_masks
from benchmarks.measure import PeakMemory, StageWatch, now
from benchmarks.report import MEBIBYTE
from ssa.device import keep_within
from ssa.engine import Engine
from ssa.errors import SSAError
from ssa.models.promptable.amg import no_progress
from ssa.types import MaskProposal, Picture, RGBImage

MASKS, MANY_MASKS, PICTURES, REPEATS = 100, 1000, 8, 3
ROOM_GB = (3.0, 1.5, 0.8)
"""Memory over the weights that the models have to do with."""


@dataclass(frozen=True, slots=True)
class BundleCheck:
    """The steps of one loaded bundle."""

    contenders: Contenders
    image: RGBImage

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        return self.contenders.placement.device

    def label(self) -> Mapping[str, Any]:
        """Seconds of labelling 100 drawn masks, the first time and the median of the others, by stage."""
        masks = draw_masks(MASKS, *self.image.shape[:2])
        run = our_labelling(self.contenders.stages, self.image, masks, self.contenders.settings)
        seconds, stages = [], []
        for _ in range(REPEATS + 1):
            began = now(self.device)
            _, by_stage = run(StageWatch(self.device))
            seconds.append(now(self.device) - began)
            stages.append(dict(by_stage))
        return {
            "first_seconds": seconds[0],
            "seconds": statistics.median(seconds[1:]),
            "stage_seconds": stages[-1],
        }

    def amg(self) -> Mapping[str, Any]:
        """Seconds of automatic mask generation, the first time and the median of the others."""
        proposer = self.contenders.stages.proposers["sam"]
        settings = self.contenders.settings.masks["sam"]
        seconds, masks = [], 0
        for _ in range(REPEATS + 1):
            began = now(self.device)
            masks = len(proposer.propose(self.image, settings, no_progress).proposals)
            seconds.append(now(self.device) - began)
        return {
            "first_seconds": seconds[0],
            "seconds": statistics.median(seconds[1:]),
            "masks": masks,
            "points": settings.points_per_side**2,
        }

    def memory(self) -> Mapping[str, Any]:
        """The most that labelling few and many masks holds over the weights, and their seconds."""
        found: dict[str, float] = {}
        for count in (MASKS, MANY_MASKS):
            masks = draw_masks(count, *self.image.shape[:2])
            meter = PeakMemory(self.device)
            meter.start()
            began = now(self.device)
            self._names(masks)
            found[f"{count}_seconds"] = now(self.device) - began
            found[f"{count}_peak_mb"] = meter.read() / MEBIBYTE
        return found

    def eight(self) -> Mapping[str, Any]:
        """Eight pictures with 100 masks each, together and one by one."""
        engine = Engine(self.contenders.stages)
        settings = self.contenders.settings
        masks = draw_masks(MASKS, *self.image.shape[:2])
        pictures = [Picture(self.image, masks)] * PICTURES
        began = now(self.device)
        engine.annotate_all(pictures, settings)
        together = now(self.device) - began
        began = now(self.device)
        for one in pictures:
            engine.annotate_all([one], settings)
        apart = now(self.device) - began
        return {"together_seconds": together, "apart_seconds": apart, "ratio": together / apart}

    def busy(self) -> Mapping[str, Any]:
        """The share of labelling's time in which the device works, as the profiler sees it and slows it."""
        masks = draw_masks(MASKS, *self.image.shape[:2])
        kinds = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * (self.device.type == "cuda")
        with profile(activities=kinds) as seen:
            began = now(self.device)
            self._names(masks)
            seconds = now(self.device) - began
        on_device = [one.time_range for one in seen.events() if one.device_type.name == "CUDA"]
        worked = covered([(one.start, one.end) for one in on_device]) / 1e6
        return {"seconds": seconds, "device_seconds": worked, "share": worked / seconds}

    def room(self) -> Mapping[str, Any]:
        """Whether names stay the same with little memory over the weights, and how long they take."""
        if self.device.type != "cuda":
            return {"left_out": "a CPU's memory isn't bounded"}
        masks = draw_masks(MASKS, *self.image.shape[:2])
        expected = self._names(masks)
        found: dict[str, Any] = {}
        for room in ROOM_GB:
            torch.cuda.empty_cache()
            keep_within(int(torch.cuda.memory_allocated() + room * 2**30), self.device)
            began = now(self.device)
            try:
                found[f"{room}_equal"] = share_equal(self._names(masks), expected)
            except SSAError as error:
                found[f"{room}_error"] = str(error)
            found[f"{room}_seconds"] = now(self.device) - began
            keep_within(torch.cuda.mem_get_info(self.device)[1], self.device)
        return found

    def plain(self) -> Mapping[str, Any]:
        """The published pipeline once, on the same masks."""
        masks = draw_masks(MASKS, *self.image.shape[:2])
        began = now(self.device)
        self.contenders.reference.label(self.image, masks)
        labelled = now(self.device)
        self.contenders.generator.generate(self.image)
        return {"label_seconds": labelled - began, "amg_seconds": now(self.device) - labelled}

    def _names(self, masks: Sequence[MaskProposal]) -> list[str]:
        annotated = Engine(self.contenders.stages).label(
            self.image, masks, self.contenders.settings
        )
        return [str(one.class_name) for one in annotated.annotations]


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """The length of all spans, start and end, where several overlap counted once."""
    total, reached = 0.0, -math.inf
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total
