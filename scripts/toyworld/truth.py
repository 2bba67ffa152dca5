"""Which names of an annotated scene are right: one that the region it stands for has."""

from __future__ import annotations

import numpy as np

from ssa.masks.run_lengths import decode
from ssa.types import AnnotatedImage
from toyworld.scenes import Scene
from toyworld.unseen import right_names

SAME_IOU = 0.5


def are_right(scene: Scene, annotated: AnnotatedImage) -> list[bool]:
    """Of each annotation whether its mask is a region of the scene (IoU) and its name one of that region's.

    A mask that is none has no right name: whoever reviews it rejects it.
    """
    truth = np.array([region.mask for region in scene.regions])
    found = []
    for one in annotated.annotations:
        mask = decode(one.proposal.rle)
        ious = (truth & mask).sum((1, 2)) / np.maximum((truth | mask).sum((1, 2)), 1)
        best = int(ious.argmax())
        found.append(ious[best] >= SAME_IOU and one.class_name in right_names(scene, best))
    return found
