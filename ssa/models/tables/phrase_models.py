"""The table of models that find every instance of a phrase."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

from ssa.device import Placement
from ssa.models.sam3_phrases import Sam3Phrases
from ssa.models.shared.families import Families
from ssa.stages import PhraseSegmentor

Load = Callable[[Path, Placement], PhraseSegmentor]

PHRASE_MODELS: Families[Load] = Families(
    "a model that finds phrases",
    MappingProxyType(
        {
            "sam3": Sam3Phrases.load,
            "sam3_video": Sam3Phrases.load,  # what the published checkpoint calls itself
        }
    ),
    usual="sam3",
)
