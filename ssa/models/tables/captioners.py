"""The table of captioners: what says in a few words what a crop shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

from ssa.device import Placement
from ssa.models.blip import BlipCaptioner
from ssa.models.shared.families import Families
from ssa.stages import Captioner

Load = Callable[[Path, Placement, int], Captioner]
"""From a folder, where to run, and how many tokens a caption may have at most."""

CAPTIONERS: Families[Load] = Families(
    "a captioner", MappingProxyType({"blip": BlipCaptioner.load}), usual="blip"
)
