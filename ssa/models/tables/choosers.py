"""The table of choosers: what says which of its best labels wins most pixels of a region."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

from ssa.config import LabelSettings
from ssa.device import Placement
from ssa.models.clipseg import ClipSegChooser
from ssa.models.shared.families import Families
from ssa.models.tables.dense_rankers import DENSE_RANKERS
from ssa.stages import DenseRanker, LabelChooser

Load = Callable[[Path, Placement, LabelSettings], LabelChooser | DenseRanker]


def _clipseg(folder: Path, placement: Placement, labels: LabelSettings) -> LabelChooser:
    return ClipSegChooser.load(folder, placement, labels.chooser_side_px)


CHOOSERS: Families[Load] = Families(
    "a chooser", MappingProxyType({"clipseg": _clipseg, **DENSE_RANKERS}), usual="clipseg"
)
