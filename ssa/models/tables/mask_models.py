"""The table of mask models; one of transformers that answers points is a line in ``point_models``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from ssa.device import Placement
from ssa.models.point_models import FAMILIES, PointModel
from ssa.models.sam import SamMaskProposer
from ssa.models.semantic_sam import SemanticSamMaskProposer
from ssa.models.shared.families import Families
from ssa.stages import MaskProposer

Load = Callable[[Path, Placement], MaskProposer]

LOADERS: Mapping[str, Load] = MappingProxyType(
    {
        "sam": SamMaskProposer.load,
        "semantic_sam": SemanticSamMaskProposer.load,
        **{kind: partial(PointModel.load, kind=kind) for kind in FAMILIES},
    }
)


def mask_models(role: str) -> Families[Load]:
    """The table for a role: published checkpoints have no config, and are of its role's family."""
    return Families("a mask model", LOADERS, usual=role)
