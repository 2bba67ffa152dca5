"""Named regions that overlap, made to share no pixel: names stay those of the whole regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ssa.masks.disjoint import disjoint
from ssa.masks.pruning import pruned
from ssa.types import Annotation


def apart(annotations: Sequence[Annotation]) -> tuple[Annotation, ...]:
    """The same with each pixel in the smallest region on it; those of which nothing is left are gone.

    Parts of what is gone go to the whole above it.
    """
    left = disjoint([one.proposal for one in annotations])
    kept = {position: mask for position, mask in enumerate(left) if mask is not None}
    nodes = pruned([one.node for one in annotations], list(kept))
    return tuple(
        replace(annotations[position], proposal=mask, node=node)
        for (position, mask), node in zip(kept.items(), nodes, strict=True)
    )
