"""Closed-set segmentors: those that vote, and those that give all labels.

OneFormer is asked its own way; every other semantic segmentor of transformers as its own processor has it.
"""

from __future__ import annotations

from pathlib import Path

from ssa.device import Placement
from ssa.models.oneformer import OneFormerSegmentor
from ssa.models.semantic_segmentor import SemanticSegmentor
from ssa.models.shared.families import model_type
from ssa.stages import Segmentor


def load_segmentor(
    folder: Path, placement: Placement, source: str, labels: tuple[str, ...] | None = None
) -> Segmentor:
    """The semantic segmentor in ``folder``, of whatever family; its config names the classes.

    A voter is given the ``labels`` of its role: a OneFormer's classes are called so, for its config may name
    none; another's as its config has them, but plainly, and so too where that numbers as many without a name.
    Raises ``WeightsError`` when the folder holds no segmentor.
    """
    if model_type(folder) in (None, "oneformer"):
        return OneFormerSegmentor.load(folder, placement, source, labels)
    return SemanticSegmentor.load(folder, placement, source, labels)
