"""What regions look like, for who looks for others that look alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ssa.config import ClusterSettings
from ssa.labelling.clustering import directions, mask_embeddings
from ssa.types import Annotation, ImageEmbedding


def with_looks(
    annotations: Sequence[Annotation], seen: ImageEmbedding, settings: ClusterSettings
) -> tuple[Annotation, ...]:
    """The same with each region's ``embedding``, as clusters have it."""
    vectors = directions(mask_embeddings(seen, [one.proposal for one in annotations], settings))
    return tuple(
        replace(one, evidence=replace(one.evidence, embedding=tuple(own)))
        for one, own in zip(annotations, vectors.tolist(), strict=True)
    )
