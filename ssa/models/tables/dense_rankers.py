"""The table of dense rankers, which look at whole pictures: each may be ranker, chooser, or both."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from ssa.config import LabelSettings
from ssa.device import Placement
from ssa.models.fgclip2 import load_fgclip2
from ssa.models.tipsv2 import load_tipsv2
from ssa.stages import DenseRanker

Load = Callable[[Path, Placement, LabelSettings], DenseRanker]


def _tipsv2(folder: Path, placement: Placement, labels: LabelSettings) -> DenseRanker:
    return load_tipsv2(folder, placement, labels.dense_side_px or None)


def _fgclip2(folder: Path, placement: Placement, labels: LabelSettings) -> DenseRanker:
    return load_fgclip2(folder, placement, labels.dense_side_px or None)


DENSE_RANKERS: Mapping[str, Load] = MappingProxyType({"fgclip2": _fgclip2, "tipsv2": _tipsv2})
