"""The engine and the published pipeline on the same work, by turns in one process."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import torch
from pycocotools import mask as coco
from segment_anything import SamAutomaticMaskGenerator

from benchmarks.measure import PeakMemory, StageWatch, now
from benchmarks.reference import Named, Reference
from ssa.cli.bar import Lines
from ssa.config import MaskSettings, Settings
from ssa.engine import Engine
from ssa.models.promptable.amg import no_progress
from ssa.stages import MaskProposer, Stages
from ssa.types import MaskProposal, RGBImage

T = TypeVar("T")

STAGES = ("segmentors", "captioner", "nouns", "ranker", "chooser")

# Each field of the engine's stages by the name it gives to the seconds spent in it.
STAGE_OF_FIELD = {
    "proposers": "sam",
    "segmentors": "segmentors",
    "captioner": "captioner",
    "nouns": "nouns",
    "ranker": "ranker",
    "chooser": "chooser",
}

# Masks overlapping by this much count as the same.
SAME_MASK_IOU = 0.95

Runner = Callable[[StageWatch], tuple[T, Mapping[str, float]]]
"""Does the work once; gives what came of it, and seconds by stage."""


@dataclass(slots=True)
class Side:
    """One system's figures: a value a round for seconds, and what one more round, counted, told."""

    seconds: list[float] = field(default_factory=list)
    stage_seconds: list[Mapping[str, float]] = field(default_factory=list)
    peak_bytes: list[float] = field(default_factory=list)
    operations: Mapping[str, int] = field(default_factory=dict)
    stage_peak_bytes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Duel:
    """Both systems' figures for one kind of work, and the share of results on which they agree."""

    ours: Side
    reference: Side
    agreement: Mapping[str, float]


def take_turns(
    ours: Runner[Any],
    reference: Runner[Any],
    device: torch.device,
    repeats: int,
    *,
    counts: bool,
) -> tuple[Side, Side, Any, Any]:
    """``repeats`` timed rounds, who begins changing from round to round, then perhaps a counted one."""
    sides = (Side(), Side())
    turns = list(zip((ours, reference), sides, strict=True))
    results: dict[int, Any] = {}
    progress = Lines(2 * repeats, "timed runs")
    for number in range(repeats):
        for runner, side in turns if number % 2 == 0 else turns[::-1]:
            results[id(side)] = time_once(runner, side, device)
            progress.add(1, f"{side.seconds[-1]:.1f} s")
    if counts:
        for runner, side in turns:
            watch = StageWatch(device, counts=True)
            runner(watch)
            side.operations, side.stage_peak_bytes = watch.operations, watch.peak_bytes
    return (*sides, results[id(sides[0])], results[id(sides[1])])


def time_once(runner: Runner[T], side: Side, device: torch.device) -> T:
    """One timed round, added to ``side``."""
    memory = PeakMemory(device)
    memory.start()
    began = now(device)
    result, stage_seconds = runner(StageWatch(device))
    side.seconds.append(now(device) - began)
    side.peak_bytes.append(memory.read())
    side.stage_seconds.append(stage_seconds)
    return result


def compare_labelling(
    stages: Stages,
    reference: Reference,
    image: RGBImage,
    proposals: Sequence[MaskProposal],
    settings: Settings,
    device: torch.device,
    repeats: int,
    *,
    counts: bool,
) -> Duel:
    """Steps 2 to 5 on the same masks."""

    def theirs(watch: StageWatch) -> tuple[list[Named], Mapping[str, float]]:
        return reference.label(image, proposals, watch.stage), watch.seconds

    run = our_labelling(stages, image, proposals, settings)
    our_labelling(stages, image, proposals[:2], settings)(StageWatch(device))
    reference.label(image, proposals[:2])
    ours, other, names, other_names = take_turns(run, theirs, device, repeats, counts=counts)
    agreement = {
        key: share_equal([getattr(n, key) for n in names], [getattr(n, key) for n in other_names])
        for key in ("class_name", "class_proposals")
    }
    return Duel(ours, other, agreement)


def our_labelling(
    stages: Stages, image: RGBImage, proposals: Sequence[MaskProposal], settings: Settings
) -> Runner[list[Named]]:
    """The engine's labelling as work to be measured; one engine, which may learn from run to run."""
    engine = Engine(stages)

    def run(watch: StageWatch) -> tuple[list[Named], Mapping[str, float]]:
        used = Engine(watched(stages, watch)) if watch.counts else engine
        annotated = used.label(image, proposals, settings)
        names = [Named(str(a.class_name), a.class_proposals) for a in annotated.annotations]
        return names, annotated.stage_seconds

    return run


def compare_masks(
    proposer: MaskProposer,
    generator: SamAutomaticMaskGenerator,
    image: RGBImage,
    settings: MaskSettings,
    device: torch.device,
    repeats: int,
    *,
    counts: bool,
) -> Duel:
    """Automatic mask generation with the same settings."""

    def ours(watch: StageWatch) -> tuple[tuple[MaskProposal, ...], Mapping[str, float]]:
        with watch.stage("amg"):
            return proposer.propose(image, settings, no_progress).proposals, watch.seconds

    def theirs(watch: StageWatch) -> tuple[list[dict[str, Any]], Mapping[str, float]]:
        with watch.stage("amg"):
            return generator.generate(image), watch.seconds

    few = replace(settings, points_per_side=2)
    proposer.propose(image, few, no_progress)
    SamAutomaticMaskGenerator(generator.predictor.model, points_per_side=2).generate(image)
    our_side, other, masks, other_masks = take_turns(ours, theirs, device, repeats, counts=counts)
    agreement = {
        "masks": mask_agreement(masks, other_masks),
        "our_masks": float(len(masks)),
        "reference_masks": float(len(other_masks)),
    }
    return Duel(our_side, other, agreement)


def share_equal(left: Sequence[object], right: Sequence[object]) -> float:
    """The share of places at which two sequences of one length agree; 1 for none."""
    equal = [a == b for a, b in zip(left, right, strict=True)]
    return sum(equal) / len(equal) if equal else 1.0


def mask_agreement(ours: Sequence[MaskProposal], reference: Sequence[Mapping[str, Any]]) -> float:
    """Twice the masks of the one that the other has too, over all masks of both; 1 for none."""
    if not ours or not reference:
        return float(not ours and not reference)
    left = [{"size": [p.rle.height, p.rle.width], "counts": p.rle.counts} for p in ours]
    right = [found["segmentation"] for found in reference]
    same = coco.iou(left, right, [False] * len(right)) >= SAME_MASK_IOU
    shared = same.any(0).sum() + same.any(1).sum()
    return float(np.float64(shared) / (len(left) + len(right)))


def watched(stages: Stages, watch: StageWatch) -> Stages:
    """The same stages; whatever is asked of one happens inside its stage of ``watch``."""
    fields: dict[str, Any] = {}
    for name, stage in STAGE_OF_FIELD.items():
        part = getattr(stages, name)
        if isinstance(part, Mapping):
            fields[name] = {key: _Watched(one, stage, watch) for key, one in part.items()}
        elif isinstance(part, tuple):
            fields[name] = tuple(_Watched(one, stage, watch) for one in part)
        else:
            fields[name] = _Watched(part, stage, watch)
    return replace(stages, **fields)


class _Watched:
    """A stage whose methods run inside ``watch``."""

    def __init__(self, stage: object, name: str, watch: StageWatch) -> None:
        self._stage = stage
        self._name = name
        self._watch = watch

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(self._stage, attribute)
        if not inspect.ismethod(value):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            with self._watch.stage(self._name):
                return value(*args, **kwargs)

        return call
