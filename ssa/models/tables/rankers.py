"""The table of rankers: what says which of its candidate labels suit a region best."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

from ssa.device import Placement
from ssa.models.clip import OpenClipRanker
from ssa.models.shared.families import Families
from ssa.stages import LabelRanker

Load = Callable[[Path, Placement], LabelRanker]

RANKERS: Families[Load] = Families(
    "a ranker", MappingProxyType({"open_clip": OpenClipRanker.load}), usual="open_clip"
)
