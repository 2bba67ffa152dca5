"""The engine: a picture in, every region of it labelled. Work is stage-major, in batches over all masks.

Propose regions → order them into wholes and parts, if asked → label them in one of four ways. It knows no
model, no file and no framework: the stages come in through their Protocols, and each hands new values on to
the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from ssa.checks import shown_text
from ssa.config import MASK_SOURCES, Settings, check_mask_source
from ssa.errors import InputError
from ssa.labelling.bank import check_bank
from ssa.labelling.closed_set import vote_and_paint
from ssa.labelling.clusters import Grouping
from ssa.labelling.finishing import finished
from ssa.labelling.open_vocabulary import Naming
from ssa.labelling.phrasing import Phrases, check_phrase_model, check_phrases
from ssa.masks.selection import selected
from ssa.masks.tree import joined, mask_tree
from ssa.pictures.regions import ManyRegions, Regions
from ssa.progress import Report, StageLog, keep_silent
from ssa.stages import Segmentor, Stages
from ssa.types import (
    AnnotatedImage,
    Annotation,
    Evidence,
    LabelMap,
    MaskProposal,
    Picture,
    ProposedMasks,
    RGBImage,
    TreeNode,
)

Tree = tuple[TreeNode, ...]


class Engine:
    """Labels every region of a picture; holds models and no state that could colour the next answer.

    What it does keep from call to call is how many crops each stage found room for in memory: that
    changes how fast an answer comes, never the answer.
    """

    def __init__(self, stages: Stages) -> None:
        self._stages = stages
        self._naming = Naming(stages)
        self._grouping = Grouping(stages.embedder, self._naming)
        self._phrases = Phrases(stages.phrases)

    def annotate(
        self, image: RGBImage, settings: Settings, report: Report = keep_silent
    ) -> AnnotatedImage:
        """Find the regions of ``image`` ((H, W, 3) RGB uint8) and label each.

        ``report`` hears of every batch; what it raises ends the work between two batches. No region
        found is an annotated image without annotations. Raises ``InputError`` where the settings ask
        for a model that isn't there.
        """
        return self.annotate_all([Picture(image)], settings, report)[0]

    def label(
        self,
        image: RGBImage,
        proposals: Sequence[MaskProposal],
        settings: Settings,
        report: Report = keep_silent,
    ) -> AnnotatedImage:
        """Label regions that were found before, in the order they came in."""
        return self.annotate_all([Picture(image, tuple(proposals))], settings, report)[0]

    def annotate_all(
        self, pictures: Sequence[Picture], settings: Settings, report: Report = keep_silent
    ) -> list[AnnotatedImage]:
        """Annotate several pictures, each as if it were alone, but with crops of all in one batch.

        Regions are found where a picture comes without. All or none: what is wrong with one picture ends
        the call. All pictures are in memory at once, and so are their masks as run lengths. Regions that
        came with a picture stay as they are, whatever ``settings.selection`` says.
        """
        self.check(settings, any(one.proposals is None for one in pictures))
        log = StageLog(report)
        proposed = [self._propose(one, settings, log) for one in pictures]
        return self._label(pictures, proposed, settings, log)

    def check(self, settings: Settings, finds_masks: bool = True) -> None:
        """Raise ``InputError`` for what can't be asked of these models: before the work, not amid it.

        Whoever brings masks along (no ``finds_masks``) needs nobody to find them.
        """
        stages = self._stages
        if finds_masks:
            check_mask_source(settings.mask_source, stages.mask_sources, stages.remedies)
        check_phrases(settings, finds_masks)
        check_phrase_model(settings, stages.phrases is not None, stages.remedies)
        if settings.label_mode == "closed-set":
            self._segmentor(settings)
        if settings.names_freely:
            check_bank(settings.labels.bank_top_k, stages.dense)

    def _propose(self, picture: Picture, settings: Settings, log: StageLog) -> ProposedMasks:
        if picture.proposals is not None:
            return ProposedMasks(picture.proposals)
        source = settings.mask_source
        if MASK_SOURCES[source].by_phrases:
            return self._phrases.propose(picture.image, settings, log)
        proposer = self._stages.proposers[source]
        # It tells how many prompts it has.
        with log.stage(MASK_SOURCES[source].role, total=0) as done:
            found = proposer.propose(picture.image, settings.masks[source], done)
        return replace(found, proposals=selected(found.proposals, settings.selection))

    def _label(
        self,
        pictures: Sequence[Picture],
        proposed: Sequence[ProposedMasks],
        settings: Settings,
        log: StageLog,
    ) -> list[AnnotatedImage]:
        regions = [
            Regions(picture.image, found.proposals, settings.labels.rules.cut_boxes)
            for picture, found in zip(pictures, proposed, strict=True)
        ]
        trees = [self._tree(one, settings, log) for one in regions] if settings.with_parts else None
        found = self._labelled(regions, proposed, trees, settings, log)
        nodes = trees if trees is not None else [None] * len(found)
        found = [
            replace(
                one,
                annotations=finished(
                    one.annotations, picture, seen, tree, settings, self._stages, log
                ),
            )
            for one, picture, seen, tree in zip(found, pictures, proposed, nodes, strict=True)
        ]
        seconds = MappingProxyType(
            {stage: taken / len(pictures) for stage, taken in log.seconds.items()}
        )
        return [
            AnnotatedImage(*_size_hw(picture), one.annotations, seconds, one.label_map)
            for picture, one in zip(pictures, found, strict=True)
        ]

    def _labelled(
        self,
        regions: Sequence[Regions],
        proposed: Sequence[ProposedMasks],
        trees: Sequence[Tree] | None,
        settings: Settings,
        log: StageLog,
    ) -> list[_Labelled]:
        match settings.label_mode:
            case "open-vocabulary":
                return self._name(regions, proposed, trees, settings, log)
            case "closed-set":
                return [self._vote(one, settings, log) for one in regions]
            case "clusters":
                return [
                    _Labelled(self._grouping.group(one, found.fetch_embedding, settings, log))
                    for one, found in zip(regions, proposed, strict=True)
                ]
            case "none":
                return [
                    _Labelled(tuple(Annotation(mask, None) for mask in one.proposals))
                    for one in regions
                ]

    def _name(
        self,
        regions: Sequence[Regions],
        proposed: Sequence[ProposedMasks],
        trees: Sequence[Tree] | None,
        settings: Settings,
        log: StageLog,
    ) -> list[_Labelled]:
        """Name the regions of all pictures together, but those that were found by their names."""
        unnamed = [place for place, found in enumerate(proposed) if found.named is None]
        many = ManyRegions([regions[place] for place in unnamed])
        nodes = None if trees is None else joined([trees[i] for i in unnamed], many.starts)
        named = self._naming.name(many, settings, log, nodes)
        labelled = [_Labelled(found.named or ()) for found in proposed]
        for place, start in zip(unnamed, many.starts, strict=True):
            labelled[place] = _Labelled(named[start : start + len(regions[place])])
        return labelled

    def _tree(self, regions: Regions, settings: Settings, log: StageLog) -> Tree:
        with log.stage("tree", len(regions)) as done:
            nodes = mask_tree(regions.proposals, settings.tree)
            done(len(nodes))
        return nodes

    def _vote(self, regions: Regions, settings: Settings, log: StageLog) -> _Labelled:
        """Each region with its majority class, and the segmentor's map with the regions painted on it."""
        with log.stage("segmentor", total=1) as done:
            found = self._segmentor(settings).segment(regions.canvas)
            done(1)
        with log.stage("painting", len(regions)) as done:
            painted, votes = vote_and_paint(found, regions.proposals)
            done(len(votes))
        annotations = (
            Annotation(proposal, vote.label, (vote.label,), Evidence(votes=(vote,)))
            for proposal, vote in zip(regions.proposals, votes, strict=True)
        )
        return _Labelled(tuple(annotations), painted)

    def _segmentor(self, settings: Settings) -> Segmentor:
        segmentors = self._stages.closed_set
        if settings.segmentor not in segmentors:
            raise InputError(
                f"segmentor must be one of those loaded ({', '.join(segmentors) or 'none'}); "
                f"got {shown_text(settings.segmentor)}"
            )
        return segmentors[settings.segmentor]


@dataclass(frozen=True, slots=True)
class _Labelled:
    """What one picture's regions are called and, of a closed set, the map they were painted on."""

    annotations: tuple[Annotation, ...]
    label_map: LabelMap | None = None


def _size_hw(picture: Picture) -> tuple[int, int]:
    height, width = picture.image.shape[:2]
    return height, width
