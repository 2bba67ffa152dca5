"""Label-free grouping as a step of the engine: regions that look alike share a label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ssa.config import Settings
from ssa.errors import InputError
from ssa.labelling.clustering import (
    NOISE,
    cluster,
    directions,
    mask_embeddings,
    representatives,
    vote_on_name,
)
from ssa.labelling.open_vocabulary import Naming
from ssa.pictures.regions import Regions
from ssa.progress import StageLog
from ssa.stages import ImageEmbedder
from ssa.types import Annotation, Evidence, ImageEmbedding

UNCLUSTERED = "unclustered"
"""The label of a region that is like too few others."""


class Grouping:
    """Groups regions by what the picture's embedding says of them and, if asked, names each group."""

    def __init__(self, embedder: ImageEmbedder | None, naming: Naming) -> None:
        self._embedder = embedder
        self._naming = naming

    def group(
        self,
        regions: Regions,
        fetch_embedding: Callable[[], ImageEmbedding] | None,
        settings: Settings,
        log: StageLog,
    ) -> tuple[Annotation, ...]:
        """One annotation a region, in order; ``fetch_embedding`` gives the picture's, if it was made already.

        A group is called "cluster 3" by its number. With ``name_clusters`` its most typical members are
        named as in open vocabulary, and their commonest name is the whole group's. A region without a
        group is "unclustered".
        """
        if not regions.proposals:
            return ()
        with log.stage("clusters", len(regions)) as done:
            seen = fetch_embedding() if fetch_embedding else self._embed(regions)
            vectors = mask_embeddings(seen, regions.proposals, settings.clusters)
            ids = cluster(vectors, settings.clusters)
            done(len(ids))
        annotations = _numbered(regions, ids, directions(vectors))
        if not settings.name_clusters:
            return annotations
        members = representatives(ids, vectors, settings.clusters.representatives)
        return self._named(annotations, regions, members, settings, log)

    def _embed(self, regions: Regions) -> ImageEmbedding:
        if self._embedder is None:
            raise InputError(
                "expected the picture's embedding, or an engine that makes one, to group regions; "
                "got neither; group regions that SAM finds"
            )
        return self._embedder.embed_image(regions.image)

    def _named(
        self,
        annotations: Sequence[Annotation],
        regions: Regions,
        members: dict[int, tuple[int, ...]],
        settings: Settings,
        log: StageLog,
    ) -> tuple[Annotation, ...]:
        """The same annotations with their groups' names, chosen from those of the ``members`` asked."""
        asked = [position for group in members.values() for position in group]
        chosen = regions.only(asked)
        named = dict(zip(asked, self._naming.name(chosen, settings, log), strict=True))
        names = {
            number: [str(named[position].class_name) for position in group]
            for number, group in members.items()
        }
        return tuple(
            _renamed(annotation, names, named.get(position))
            for position, annotation in enumerate(annotations)
        )


def _numbered(
    regions: Regions, ids: Sequence[int], embeddings: NDArray[np.float16]
) -> tuple[Annotation, ...]:
    labels = [UNCLUSTERED if number == NOISE else f"cluster {number}" for number in ids]
    return tuple(
        Annotation(proposal, label, (label,), Evidence(cluster_id=number, embedding=tuple(own)))
        for proposal, label, number, own in zip(
            regions.proposals, labels, ids, embeddings.tolist(), strict=True
        )
    )


def _renamed(
    annotation: Annotation, names: dict[int, list[str]], member: Annotation | None
) -> Annotation:
    """The annotation with its group's name; a member that was asked keeps what was found out about it."""
    number = annotation.evidence.cluster_id
    if number is None or number == NOISE:
        return annotation
    winner = vote_on_name(names[number])
    others = (name for name, _ in Counter(names[number]).most_common() if name != winner)
    evidence = member.evidence if member is not None else annotation.evidence
    return replace(
        annotation,
        class_name=winner,
        class_proposals=(winner, *others),
        evidence=replace(evidence, cluster_id=number, embedding=annotation.evidence.embedding),
    )
