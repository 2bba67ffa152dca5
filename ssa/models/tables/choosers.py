"""The table of choosers: what says which of its best labels wins most pixels of a region."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

from ssa.device import Placement
from ssa.models.clipseg import ClipSegChooser
from ssa.models.shared.families import Families
from ssa.stages import LabelChooser

Load = Callable[[Path, Placement, int], LabelChooser]
"""From a folder, where to run, and the side in pixels that crops are squared to."""

CHOOSERS: Families[Load] = Families(
    "a chooser", MappingProxyType({"clipseg": ClipSegChooser.load}), usual="clipseg"
)
