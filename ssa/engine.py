"""The engine: a picture in, every region of it labelled. Work is stage-major, in batches over all masks.

Propose regions → order them into wholes and parts, if asked → label them in one of four ways. It knows no
model, no file and no framework: the stages come in through their Protocols, and each hands new values on to
the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType

from ssa.checks import shown_text
from ssa.closed_set import vote_and_paint
from ssa.config import Settings
from ssa.errors import InputError
from ssa.grouping import Grouping
from ssa.naming import Naming
from ssa.progress import Report, StageLog, keep_silent
from ssa.regions import Regions
from ssa.stages import MaskProposer, Segmentor, Stages
from ssa.tree import mask_tree
from ssa.types import (
    AnnotatedImage,
    Annotation,
    Evidence,
    LabelMap,
    MaskProposal,
    ProposedMasks,
    RGBImage,
    TreeNode,
)


class Engine:
    """Labels every region of a picture; holds models and no state that could colour the next answer.

    What it does keep from call to call is how many crops each stage found room for in memory: that
    changes how fast an answer comes, never the answer.
    """

    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self._naming = Naming(stages)
        self._grouping = Grouping(stages.embedder, self._naming)

    def annotate(
        self, image: RGBImage, settings: Settings, report: Report = keep_silent
    ) -> AnnotatedImage:
        """Find the regions of ``image`` ((H, W, 3) RGB uint8) and label each.

        ``report`` hears of every batch; what it raises ends the work between two batches. No region
        found is an annotated image without annotations. Raises ``InputError`` where the settings ask
        for a model that isn't there.
        """
        self._check(settings)
        log = StageLog(report)
        return self._label(image, self._propose(image, settings, log), settings, log)

    def label(
        self,
        image: RGBImage,
        proposals: Sequence[MaskProposal],
        settings: Settings,
        report: Report = keep_silent,
    ) -> AnnotatedImage:
        """Label regions that were found before, in the order they came in."""
        self._check(settings)
        return self._label(image, ProposedMasks(tuple(proposals)), settings, StageLog(report))

    def _check(self, settings: Settings) -> None:
        """Fail before the work, not after half of it."""
        if settings.label_mode == "closed-set":
            self._segmentor(settings)

    def _propose(self, image: RGBImage, settings: Settings, log: StageLog) -> ProposedMasks:
        proposer: MaskProposer | None = self._stages.proposer
        stage, masks = "sam", settings.masks
        if settings.mask_source == "semantic-sam":
            proposer = self._stages.semantic_proposer
            stage, masks = "semantic_sam", settings.semantic_sam_masks
        if proposer is None:
            raise InputError(
                "expected an engine with Semantic-SAM for mask_source 'semantic-sam'; this one was "
                "loaded without; use 'sam', or load a bundle that has it"
            )
        with log.stage(stage, total=0) as done:  # the proposer tells how many prompts it has
            return proposer.propose(image, masks, done)

    def _label(
        self, image: RGBImage, proposed: ProposedMasks, settings: Settings, log: StageLog
    ) -> AnnotatedImage:
        regions = Regions(image, proposed.proposals)
        nodes = self._tree(regions, settings, log) if settings.with_parts else None
        label_map = None
        match settings.label_mode:
            case "open-vocabulary":
                annotations = self._naming.name(regions, settings, log, nodes)
            case "closed-set":
                annotations, label_map = self._vote(regions, settings, log)
            case "clusters":
                annotations = self._grouping.group(regions, proposed.embedding, settings, log)
            case "none":
                annotations = tuple(Annotation(one, None) for one in proposed.proposals)
        if nodes is not None:
            annotations = tuple(
                replace(one, node=node) for one, node in zip(annotations, nodes, strict=True)
            )
        height, width = image.shape[:2]
        seconds = MappingProxyType(log.seconds)
        return AnnotatedImage(height, width, annotations, seconds, label_map)

    def _tree(self, regions: Regions, settings: Settings, log: StageLog) -> tuple[TreeNode, ...]:
        with log.stage("tree", len(regions)) as done:
            nodes = mask_tree(regions.proposals, settings.tree)
            done(len(nodes))
        return nodes

    def _vote(
        self, regions: Regions, settings: Settings, log: StageLog
    ) -> tuple[tuple[Annotation, ...], LabelMap]:
        """Each region with its majority class, and the segmentor's map with the regions painted on it."""
        with log.stage("segmentor", total=1) as done:
            found = self._segmentor(settings).segment(regions.image)
            done(1)
        with log.stage("painting", len(regions)) as done:
            painted, votes = vote_and_paint(found, regions.proposals)
            done(len(votes))
        annotations = (
            Annotation(proposal, vote.label, (vote.label,), Evidence(votes=(vote,)))
            for proposal, vote in zip(regions.proposals, votes, strict=True)
        )
        return tuple(annotations), painted

    def _segmentor(self, settings: Settings) -> Segmentor:
        segmentors = self._stages.closed_set
        if settings.segmentor not in segmentors:
            raise InputError(
                f"segmentor must be one of those loaded ({', '.join(segmentors) or 'none'}); "
                f"got {shown_text(settings.segmentor)}"
            )
        return segmentors[settings.segmentor]
