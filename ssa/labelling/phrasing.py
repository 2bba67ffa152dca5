"""Uses of a model that finds all instances of phrases, a picture at a time; ``phrases`` has their rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from types import MappingProxyType

from ssa.config import MASK_SOURCES, Settings
from ssa.errors import InputError
from ssa.labelling.phrases import Annotations, Found, Texts, asked, distinct, missing, verified
from ssa.masks.selection import kept
from ssa.progress import StageLog
from ssa.stages import PhraseSegmentor
from ssa.types import (
    Annotation,
    Evidence,
    MaskProposal,
    ProposedMasks,
    RGBImage,
    ScoredLabel,
    TreeNode,
)


class Phrases:
    """Asks the model that there is, a picture at a time."""

    def __init__(self, finder: PhraseSegmentor | None) -> None:
        self._finder = finder

    def propose(self, image: RGBImage, settings: Settings, log: StageLog) -> ProposedMasks:
        """The instances of the vocabulary's classes, each with its name."""
        classes = settings.vocabulary.classes if settings.vocabulary is not None else ()
        found = self._find(image, {one.label: one.texts for one in classes}, settings, log)
        named = [
            _named(one, label)
            for label, instances in found.items()
            for one in distinct(instances, settings.phrases.same_iou)
        ]
        stay = kept([one.proposal for one in named], settings.selection)
        chosen = tuple(named[position] for position in stay)
        return ProposedMasks(tuple(one.proposal for one in chosen), named=chosen)

    def heed(
        self, image: RGBImage, annotations: Annotations, settings: Settings, log: StageLog
    ) -> Annotations:
        """A picture's regions after their names were verified and the picture completed, as far as asked.

        Of what was missed the best is added, until there are ``max_masks`` regions in all.
        """
        use = settings.phrases.use
        texts = asked(annotations, settings.phrases, settings.vocabulary) if use != "none" else {}
        if not texts:
            return annotations
        found = self._find(image, texts, settings, log)
        if use in ("verify", "both"):
            annotations = verified(annotations, found, settings.phrases)
        if use in ("complete", "both"):
            root = TreeNode(None, 0) if settings.with_parts else None
            missed = missing(annotations, found, settings.phrases)
            most = settings.selection.max_masks
            room = len(missed) if most is None else max(most - len(annotations), 0)
            added = (_named(one, label) for label, one in missed[:room])
            annotations += tuple(replace(one, node=root, source="phrase") for one in added)
        return annotations

    @property
    def _known(self) -> PhraseSegmentor:
        if self._finder is None:
            raise ValueError("expected settings that were checked; got phrases without a model")
        return self._finder

    def _find(self, image: RGBImage, texts: Texts, settings: Settings, log: StageLog) -> Found:
        phrases = list(chain.from_iterable(texts.values()))
        with log.stage("phrases", len(phrases)) as done:
            found = self._known.find(image, phrases, settings.phrases.least_score, done)
        each = dict(zip(phrases, found, strict=True))
        return {label: [one for text in own for one in each[text]] for label, own in texts.items()}


def _named(instance: MaskProposal, label: str) -> Annotation:
    """A region that was found by its name."""
    agreement = ScoredLabel(label, instance.predicted_iou)
    return Annotation(instance, label, (label,), Evidence(agreement=(agreement,)))


def check_phrases(settings: Settings, finds_masks: bool = True) -> None:
    """Raise ``InputError`` where phrases are asked for something that they can't do.

    Where masks come along (no ``finds_masks``), what finds masks says nothing.
    """
    use, mode = settings.phrases.use, settings.label_mode
    if use != "none" and mode != "open-vocabulary":
        raise InputError(
            f"phrases belongs to labels 'open-vocabulary'; got it with labels '{mode}'; "
            "leave it out, or change labels"
        )
    if not (finds_masks and MASK_SOURCES[settings.mask_source].by_phrases):
        return
    if settings.vocabulary is None or mode != "open-vocabulary":
        raise InputError(
            "mask_source 'phrases' finds the classes of a vocabulary, with labels 'open-vocabulary'; "
            f"got {'no vocabulary' if settings.vocabulary is None else f'labels {mode!r}'}; "
            "give that, or change mask_source"
        )
    if use != "none":
        raise InputError(
            f"phrases belongs to masks that were found without them; got '{use}' with mask_source "
            "'phrases'; leave one of them out"
        )


def check_phrase_model(
    settings: Settings, is_there: bool, remedies: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Raise ``InputError`` unless a model that finds phrases is there, where names are asked as such."""
    if settings.phrases.use != "none" and not is_there:
        remedy = remedies.get("phrases", "leave it out")
        raise InputError(
            f"phrases must be none without weights that find them; got '{settings.phrases.use}'; {remedy}"
        )
