"""The table of rankers: what says which of its candidate labels suit a region best."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

from ssa.config import LabelSettings
from ssa.device import Placement
from ssa.models.clip import OpenClipRanker
from ssa.models.shared.families import Families
from ssa.models.tables.dense_rankers import DENSE_RANKERS
from ssa.models.text_region import load_text_region
from ssa.stages import DenseRanker, LabelRanker

Load = Callable[[Path, Placement, LabelSettings], LabelRanker | DenseRanker]


def _open_clip(
    folder: Path, placement: Placement, labels: LabelSettings
) -> LabelRanker | DenseRanker:
    if labels.ranker_looks_once:
        return load_text_region(folder, placement, labels.dense_side_px or None)
    return OpenClipRanker.load(folder, placement)


RANKERS: Families[Load] = Families(
    "a ranker",
    MappingProxyType({"open_clip": _open_clip, **DENSE_RANKERS}),
    usual="open_clip",
    # Some publishers put transformers' layout beside it.
    told_by=MappingProxyType({"open_clip_config.json": "open_clip"}),
)
