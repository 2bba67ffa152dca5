"""The table of captioners: what says in a few words what a crop shows, and who finds the nouns in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

from ssa.device import Placement
from ssa.labelling.noun_lists import HeadedSentences, NounLists
from ssa.models.blip import BlipCaptioner
from ssa.models.chat import ChatCaptioner
from ssa.models.florence import FlorenceCaptioner
from ssa.models.shared.families import Families
from ssa.stages import Captioner, NounExtractor

Load = Callable[[Path, Placement, int], Captioner]
"""From a folder, where to run, and how many tokens a caption may have at most."""

Reader = Callable[[NounExtractor | None], NounExtractor | None]
"""From what finds nouns in sentences, if a bundle has it, what finds them in a family's captions."""


@dataclass(frozen=True, slots=True)
class Family:
    """How a captioner is loaded and its captions read.

    ``unread`` says what is lost in a bundle that has nothing to find nouns in sentences; nothing if empty.
    """

    load: Load
    reader: Reader
    unread: str = ""


def _sentences(sentences: NounExtractor | None) -> NounExtractor | None:
    return sentences


def _lists(_: NounExtractor | None) -> NounExtractor:
    return NounLists()


CHAT = Family(ChatCaptioner.load, _lists)

CAPTIONERS: Families[Family] = Families(
    "a captioner",
    MappingProxyType(
        {
            "blip": Family(
                BlipCaptioner.load, _sentences, "captions are sentences that nothing reads"
            ),
            "florence2": Family(
                FlorenceCaptioner.load, HeadedSentences, "descriptions are read by nothing"
            ),
        }
    ),
    usual="blip",
    # Those of them that have no chat template are told so by the adapter.
    others=MappingProxyType(dict.fromkeys(MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES, CHAT)),
    others_are="any chat model of transformers that sees pictures",
)
