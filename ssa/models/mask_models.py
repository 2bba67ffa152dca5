"""The table of mask models: what a folder's configuration calls them, and the adapter that loads one.

A new family is a file beside this one and a line here; one of transformers that answers points is a line in
``point_models``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from ssa.device import Placement
from ssa.models.point_models import FAMILIES, PointModel
from ssa.models.sam import SamMaskProposer
from ssa.models.semantic_sam import SemanticSamMaskProposer
from ssa.stages import MaskProposer

MASK_MODELS: Mapping[str, Callable[[Path, Placement], MaskProposer]] = MappingProxyType(
    {
        "sam": SamMaskProposer.load,
        "semantic_sam": SemanticSamMaskProposer.load,
        **{kind: partial(PointModel.load, kind=kind) for kind in FAMILIES},
    }
)


def model_type(folder: Path) -> str | None:
    """What a folder's ``config.json`` calls its family; None where it names none, or can't be read.

    An adapter then says what is wrong with the folder.
    """
    try:
        config = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError):
        return None
    kind = config.get("model_type") if isinstance(config, dict) else None
    return kind if isinstance(kind, str) else None
