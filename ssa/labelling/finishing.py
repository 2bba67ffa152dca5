"""What named regions get last: place in a tree, what phrases find, looks, own pixels, who spoke, how sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ssa.config import NameRules, Settings
from ssa.labelling.apart import apart
from ssa.labelling.looks import with_looks
from ssa.labelling.phrasing import Phrases
from ssa.labelling.witnesses import with_witnesses
from ssa.progress import StageLog
from ssa.stages import Stages
from ssa.types import Annotation, Picture, ProposedMasks, TreeNode

Annotations = tuple[Annotation, ...]


def finished(
    annotations: Annotations,
    picture: Picture,
    seen: ProposedMasks,
    nodes: Sequence[TreeNode] | None,
    settings: Settings,
    stages: Stages,
    log: StageLog,
) -> Annotations:
    """The annotations of one picture with all that the settings ask for beside names.

    ``seen`` is what was found in it and ``nodes`` its tree, if that was asked for. Regions that came with
    the picture keep their pixels. Regions that phrases find come after the others.
    """
    if nodes is not None:
        pairs = zip(annotations, nodes, strict=True)
        annotations = tuple(replace(one, node=node) for one, node in pairs)
    annotations = Phrases(stages.phrases).heed(picture.image, annotations, settings, log)
    if settings.looks and seen.fetch_embedding:
        annotations = with_looks(annotations, seen.fetch_embedding(), settings.clusters)
    if picture.proposals is None and not settings.selection.overlaps:
        annotations = apart(annotations)
    annotations = with_witnesses(annotations, stages.models)
    known = stages.confidence
    # What was fitted to our names says nothing of names by other rules.
    if known is None or settings.labels.rules != NameRules():
        return annotations
    return tuple(replace(one, confidence=known.of(one)) for one in annotations)
