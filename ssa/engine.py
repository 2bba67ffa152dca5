"""The engine: a picture in, every region of it named. Work is stage-major, in batches over all masks.

It knows no model, no file and no framework: the stages come in through their Protocols, and each hands new
values on to the next.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from ssa.batching import BatchLimit
from ssa.candidates import merge_candidates
from ssa.config import Settings
from ssa.crops import crop, scaled_box
from ssa.masks import decode_part
from ssa.stages import (
    Captioner,
    LabelChooser,
    LabelRanker,
    MaskProposer,
    NounExtractor,
    Segmentor,
)
from ssa.types import (
    AnnotatedImage,
    Annotation,
    BoolMask,
    BoxXYXY,
    Evidence,
    MaskProposal,
    RGBImage,
    ScoredLabel,
    Vote,
)
from ssa.voting import majority

Votes = tuple[Vote, ...]
Labels = tuple[str, ...]
Scores = tuple[ScoredLabel, ...]


@dataclass(frozen=True, slots=True)
class StageReport:
    """Sent after every batch: ``done`` of ``total`` items of a stage, ``seconds`` since it began."""

    stage: str
    done: int
    total: int
    seconds: float


Report = Callable[[StageReport], None]


def keep_silent(_: StageReport) -> None:
    """The reporter of those who don't ask for progress."""


@dataclass(frozen=True, slots=True)
class Stages:
    """The models of an engine, each behind its Protocol."""

    proposer: MaskProposer
    segmentors: tuple[Segmentor, ...]
    captioner: Captioner
    nouns: NounExtractor
    ranker: LabelRanker
    chooser: LabelChooser

    def __post_init__(self) -> None:
        if not self.segmentors:
            raise ValueError("expected at least one segmentor: its vote is the name of last resort")


class Engine:
    """Names every region of a picture; holds models and no state that could colour the next answer.

    What it does keep from call to call is how many crops each stage found room for in memory: that
    changes how fast an answer comes, never the answer.
    """

    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self._limits = {stage: BatchLimit(stage) for stage in ("captions", "clip", "clipseg")}

    def annotate(
        self, image: RGBImage, settings: Settings, report: Report = keep_silent
    ) -> AnnotatedImage:
        """Find the regions of ``image`` ((H, W, 3) RGB uint8) and name each.

        ``report`` hears of every batch; what it raises ends the work between two batches. No region
        found is an annotated image without annotations.
        """
        log = _StageLog(report)
        with log.stage("sam", total=0) as done:  # the proposer tells how many prompts it has
            proposals = self._stages.proposer.propose(image, settings.masks, done)
        return self._label(image, proposals, settings, log)

    def label(
        self,
        image: RGBImage,
        proposals: Sequence[MaskProposal],
        settings: Settings,
        report: Report = keep_silent,
    ) -> AnnotatedImage:
        """Name regions that were found before, in the order they came in."""
        return self._label(image, proposals, settings, _StageLog(report))

    def _label(
        self,
        image: RGBImage,
        proposals: Sequence[MaskProposal],
        settings: Settings,
        log: _StageLog,
    ) -> AnnotatedImage:
        height, width = image.shape[:2]
        annotations: tuple[Annotation, ...] = ()
        if proposals:
            regions = _Regions(image, proposals)
            votes = self._vote(regions, log)
            captions = self._caption(regions, settings, log)
            phrases = self._find_nouns(captions, log)
            candidates = [merge_candidates(*pair) for pair in zip(votes, phrases, strict=True)]
            rankings = self._rank(regions, candidates, settings, log)
            tops = [
                tuple(scored.label for scored in ranking[: settings.labels.top_k])
                for ranking in rankings
            ]
            shares = self._choose(regions, tops, settings, log)
            evidence = map(Evidence, votes, captions, phrases, rankings, shares)
            annotations = tuple(
                Annotation(proposal, seen.shares[0].label, top, seen)
                for proposal, top, seen in zip(proposals, tops, evidence, strict=True)
            )
        return AnnotatedImage(height, width, annotations, MappingProxyType(log.seconds))

    def _vote(self, regions: _Regions, log: _StageLog) -> list[Votes]:
        segmentors = self._stages.segmentors
        with log.stage("segmentors", len(segmentors)) as done:
            maps = []
            for number, segmentor in enumerate(segmentors, start=1):
                maps.append(segmentor.segment(regions.image))
                done(number)
            return [
                tuple(majority(label_map, mask, box_xyxy) for label_map in maps)
                for box_xyxy, mask in regions.boxed_masks()
            ]

    def _caption(self, regions: _Regions, settings: Settings, log: _StageLog) -> list[str]:
        def work(batch: Sequence[int]) -> list[str]:
            crops = regions.crops(batch, settings.labels.caption_crop_scale)
            return self._stages.captioner.caption(crops)

        captions: list[str] = []
        indices = range(len(regions.proposals))
        with log.stage("captions", len(indices)) as done:
            batches = self._limits["captions"].run(work, indices, settings.batches.caption)
            for _, found in batches:
                captions += found
                done(len(captions))
        return captions

    def _find_nouns(self, captions: Sequence[str], log: _StageLog) -> list[Labels]:
        with log.stage("nouns", len(captions)) as done:
            phrases = self._stages.nouns.extract(captions)
            done(len(captions))
        return phrases

    def _rank(
        self,
        regions: _Regions,
        candidates: Sequence[Labels],
        settings: Settings,
        log: _StageLog,
    ) -> list[Scores]:
        def work(batch: Sequence[int]) -> list[Scores]:
            crops = regions.crops(batch, settings.labels.clip_crop_scale)
            return self._stages.ranker.rank(crops, [candidates[i] for i in batch])

        rankings: list[Scores] = []
        indices = range(len(candidates))
        with log.stage("clip", len(indices)) as done:
            for _, found in self._limits["clip"].run(work, indices, settings.batches.clip):
                rankings += found
                done(len(rankings))
        return rankings

    def _choose(
        self,
        regions: _Regions,
        proposals: Sequence[Labels],
        settings: Settings,
        log: _StageLog,
    ) -> list[Scores]:
        def work(batch: Sequence[int]) -> list[Scores]:
            scale = settings.labels.clipseg_crop_scale
            crops, masks = regions.crops(batch, scale), regions.masks(batch, scale)
            return self._stages.chooser.choose(crops, masks, [proposals[i] for i in batch])

        # A single proposal has won; only where there are several is the model asked.
        shares: list[Scores] = [(ScoredLabel(labels[0], 1.0),) for labels in proposals]
        open_choices = [index for index, labels in enumerate(proposals) if len(labels) > 1]
        finished = 0
        with log.stage("clipseg", len(open_choices)) as done:
            batches = self._limits["clipseg"].run(work, open_choices, settings.batches.clipseg)
            for batch, chosen in batches:
                for index, share in zip(batch, chosen, strict=True):
                    shares[index] = share
                finished += len(batch)
                done(finished)
        return shares


class _Regions:
    """A picture and its mask proposals, cut as the stages ask for them; nothing is kept decoded."""

    def __init__(self, image: RGBImage, proposals: Sequence[MaskProposal]) -> None:
        self.image = image
        self.proposals = proposals

    def crops(self, indices: Sequence[int], scale: float) -> list[RGBImage]:
        """The picture around each mask."""
        return [crop(self.image, self._box(i, scale)) for i in indices]

    def masks(self, indices: Sequence[int], scale: float) -> list[BoolMask]:
        """Each mask in the frame of its crop."""
        return [decode_part(self.proposals[i].rle, self._box(i, scale)) for i in indices]

    def boxed_masks(self) -> Iterator[tuple[BoxXYXY, BoolMask]]:
        """Each mask's own box, and the mask in the frame of it, one at a time."""
        for index, proposal in enumerate(self.proposals):
            box_xyxy = self._box(index, 1.0)
            yield box_xyxy, decode_part(proposal.rle, box_xyxy)

    def _box(self, index: int, scale: float) -> BoxXYXY:
        height, width = self.image.shape[:2]
        return scaled_box(self.proposals[index].bbox_xywh, scale, height, width)


class _Done(Protocol):
    """Tells how many items are finished, and of how many if the stage learns that only now."""

    def __call__(self, count: int, total: int = ..., /) -> None: ...


class _StageLog:
    """Times the stages and passes on their progress."""

    def __init__(self, report: Report) -> None:
        self.seconds: dict[str, float] = {}
        self._report = report

    @contextmanager
    def stage(self, name: str, total: int) -> Iterator[_Done]:
        """One stage; gives the function to call with the number of items finished so far."""
        began = time.perf_counter()

        def done(count: int, total: int = total) -> None:
            self._report(StageReport(name, count, total, time.perf_counter() - began))

        yield done
        self.seconds[name] = time.perf_counter() - began
