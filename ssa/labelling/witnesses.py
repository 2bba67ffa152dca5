"""Which models spoke of a region: what stands in its evidence, and by whom it was said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ssa.types import Annotation, Evidence


def with_witnesses(
    annotations: tuple[Annotation, ...], models: Mapping[str, str]
) -> tuple[Annotation, ...]:
    """The annotations, each of which says whose words it rests on.

    ``models`` are names of models by the role they have in a bundle, and by "bank" who looks that through;
    whose name isn't known isn't named.
    """
    if not models:
        return annotations
    kept: dict[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]] = {}
    found = []
    for one in annotations:
        said = tuple((what, models[role]) for what, role in _spoke(one.evidence) if role in models)
        # Most regions have the same: one value serves them all.
        said = kept.setdefault(said, said)
        found.append(replace(one, evidence=replace(one.evidence, models=said)))
    return tuple(found)


def _spoke(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """What was said, by its name in a record, and the role of who said it."""
    for vote in evidence.votes:
        yield vote.source, f"{vote.source}_segmentor"
    if evidence.caption:
        yield "caption", "captions"
    if evidence.bank:
        yield "bank", "bank"
    if evidence.ranking:
        yield "clip", "clip"
    # A single candidate has won without being asked about.
    if len(evidence.shares) > 1:
        yield "clipseg", "clipseg"
    if evidence.agreement:
        yield "phrases", "phrases"
