"""Names as phrases: what a model that finds all instances of a phrase says of names, by three rules.

- *verify*: a region's proposals are asked for, and each agrees with the region as well as its best instance
  does: IoU × the instance's score. A proposal takes the name if it agrees by ``least_agreement`` or more, and
  by ``least_lead`` better than the name (which, if it is "unknown", agrees with nothing). A region that was
  named as a part of another keeps its name; parts of one whose name moved are parts of the new name.
- *complete*: the picture's names are asked for, the commonest first. An instance is added, under its name,
  where it is the same thing (``same_iou``) as no region, whatever that is called, and as no better instance.
- *propose*: the texts of a vocabulary are asked for, and their instances are the regions. Of those of one
  class that are the same thing, the best stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ssa.config import PhraseSettings, Vocabulary
from ssa.labelling.vocabulary import UNKNOWN
from ssa.masks.overlaps import ious
from ssa.types import Annotation, MaskProposal, ScoredLabel

Annotations = tuple[Annotation, ...]
Found = Mapping[str, Sequence[MaskProposal]]
"""The instances of each label that was asked for, of all its texts."""

Texts = Mapping[str, tuple[str, ...]]
"""What a model is asked for each label."""


def asked(
    annotations: Sequence[Annotation], settings: PhraseSettings, vocabulary: Vocabulary | None
) -> Texts:
    """What is asked for the labels of a picture: its names, the commonest first, then its other proposals.

    Those only where names are verified; ``most_phrases`` texts in all. A class of a vocabulary is asked by
    all its texts, another label by itself, "unknown" not at all.
    """
    labels = [*_commonest_first(one.class_name for one in annotations)]
    if settings.use != "complete":
        labels += _commonest_first(label for one in annotations for label in one.class_proposals)
    classes = vocabulary.classes if vocabulary is not None else ()
    texts = {one.label: one.texts for one in classes}
    found: dict[str, tuple[str, ...]] = {}
    room = settings.most_phrases
    for label in dict.fromkeys(labels):
        own = texts.get(label, (label,))[:room]
        if own and label != UNKNOWN:
            found[label] = own
            room -= len(own)
    return found


def verified(
    annotations: Sequence[Annotation], found: Found, settings: PhraseSettings
) -> Annotations:
    """The same with how well their proposals agree with them, and the names that these took by it."""
    agreements = zip(annotations, _agreements(annotations, found), strict=True)
    said = [_with_agreement(*one) for one in agreements]
    now = [_moved(one, settings) for one in said]
    return tuple(
        replace(one, part_of=_whole_now(place, said, now)) if one.part_of is not None else one
        for place, one in enumerate(now)
    )


def missing(
    annotations: Sequence[Annotation], found: Found, settings: PhraseSettings
) -> list[tuple[str, MaskProposal]]:
    """Instances of the picture's names, with these, that are the same thing as no region; best first."""
    names = {one.class_name for one in annotations}
    pairs = [(label, one) for label, own in found.items() if label in names for one in own]
    regions = [one.proposal.rle for one in annotations]
    covered = ious([one.rle for _, one in pairs], regions).max(axis=1, initial=0.0)
    free = [pair for pair, most in zip(pairs, covered, strict=True) if most < settings.same_iou]
    return [free[place] for place in _distinct([one for _, one in free], settings.same_iou)]


def distinct(instances: Sequence[MaskProposal], same_iou: float) -> list[MaskProposal]:
    """Instances without those that are the same thing as a better one; best first."""
    return [instances[place] for place in _distinct(instances, same_iou)]


def _distinct(instances: Sequence[MaskProposal], same_iou: float) -> list[int]:
    masks = [one.rle for one in instances]
    alike = ious(masks, masks) >= same_iou
    stay = list[int]()
    for place in sorted(range(len(masks)), key=lambda i: -instances[i].predicted_iou):
        if not alike[place, stay].any():
            stay.append(place)
    return stay


def _commonest_first(labels: Iterable[str | None]) -> list[str]:
    return [label for label, _ in Counter(filter(None, labels)).most_common()]


def _agreements(annotations: Sequence[Annotation], found: Found) -> list[dict[str, float]]:
    """Of each region's proposals that were asked for, how well they agree with it."""
    said: list[dict[str, float]] = [{} for _ in annotations]
    for label, instances in found.items():
        places = [i for i, one in enumerate(annotations) if label in one.class_proposals]
        scores = np.array([one.predicted_iou for one in instances])
        masks = [annotations[i].proposal.rle for i in places]
        shared = ious(masks, [one.rle for one in instances]) * scores
        for place, score in zip(places, shared.max(axis=1, initial=0.0).tolist(), strict=True):
            said[place][label] = score
    return said


def _with_agreement(one: Annotation, said: Mapping[str, float]) -> Annotation:
    known = (label for label in one.class_proposals if label in said)
    # Of equals the one that was ranked higher comes first.
    order = sorted(known, key=lambda label: -said[label])
    agreement = tuple(ScoredLabel(label, said[label]) for label in order)
    return replace(one, evidence=replace(one.evidence, agreement=agreement))


def _moved(one: Annotation, settings: PhraseSettings) -> Annotation:
    """A region under the name of the proposal that takes it, if one does."""
    said = {known.label: known.score for known in one.evidence.agreement}
    if one.class_name == UNKNOWN:
        said.setdefault(UNKNOWN, 0.0)
    if one.part_of is not None or one.class_name not in said:
        return one
    best = max(said, key=lambda label: said[label])
    leads = said[best] - said[one.class_name] >= settings.least_lead
    if best == one.class_name or not leads or said[best] < settings.least_agreement:
        return one
    return replace(one, class_name=best, evidence=replace(one.evidence, moved_to=best))


def _whole_now(place: int, before: Sequence[Annotation], now: Sequence[Annotation]) -> str | None:
    """What the region that another was named a part of is called now."""
    name, node = before[place].part_of, before[place].node
    while node is not None and node.parent is not None:
        if before[node.parent].class_name == name:
            return now[node.parent].class_name
        node = before[node.parent].node
    return name
