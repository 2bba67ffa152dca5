"""The engine's swap points: one Protocol a stage, one verb each.

Every method takes one batch and returns one value an item, in order. Pictures and crops are RGB uint8
(H, W, 3) of any size; an adapter does its own resizing and normalisation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from ssa.config import MaskSettings
from ssa.types import BoolMask, LabelMap, MaskProposal, RGBImage, ScoredLabel

Progress = Callable[[int, int], None]
"""Called after every batch with the prompts done so far and all there are."""


class MaskProposer(Protocol):
    """Finds the regions of a picture, without names."""

    def propose(
        self, image: RGBImage, settings: MaskSettings, progress: Progress
    ) -> tuple[MaskProposal, ...]: ...


class Segmentor(Protocol):
    """Gives each pixel one class of a closed set; the label map has the picture's size."""

    def segment(self, image: RGBImage) -> LabelMap: ...


class Captioner(Protocol):
    """Says in a few words what a crop shows; the caption may be empty."""

    def caption(self, crops: Sequence[RGBImage]) -> list[str]: ...


class NounExtractor(Protocol):
    """Finds the noun phrases of captions: lower case, no article, first occurrence order, no duplicates."""

    def extract(self, captions: Sequence[str]) -> list[tuple[str, ...]]: ...


class LabelRanker(Protocol):
    """Scores each crop against its own candidates (at least one each): softmax, best first."""

    def rank(
        self, crops: Sequence[RGBImage], candidates: Sequence[Sequence[str]]
    ) -> list[tuple[ScoredLabel, ...]]: ...


class LabelChooser(Protocol):
    """Share of each mask's pixels that each of its candidates wins, best first; ties keep their order.

    ``masks[i]`` is (h, w) bool in the frame of ``crops[i]`` (h, w, 3).
    """

    def choose(
        self,
        crops: Sequence[RGBImage],
        masks: Sequence[BoolMask],
        candidates: Sequence[Sequence[str]],
    ) -> list[tuple[ScoredLabel, ...]]: ...
