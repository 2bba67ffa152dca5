"""All that the engine can be told, apart from the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ssa.config.groups import ClusterSettings, TreeSettings
from ssa.config.masks import MASK_SOURCES, MaskSettings, SelectionSettings
from ssa.config.names import LabelSettings, PhraseSettings, Vocabulary

LabelMode = Literal["open-vocabulary", "closed-set", "clusters", "none"]


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What a picture may be at most.

    Pillow itself refuses headers over 178,956,970 pixels, so a greater ``max_pixels`` stops there.
    """

    # A 100-megapixel camera's picture still passes; decoding it takes about 0.7 GB.
    max_pixels: int = 100_000_000


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """How many crops go through a model at once; larger is faster and takes more memory."""

    captioner: int = 16
    ranker: int = 32
    chooser: int = 8


# What a GPU with room for it works on at once: beyond, batches gain nothing more.
LARGEST_BATCHES = BatchSettings(captioner=128, ranker=128, chooser=128)


def _usual_masks() -> dict[str, MaskSettings]:
    return {name: one.masks for name, one in MASK_SOURCES.items() if not one.by_phrases}


@dataclass(frozen=True, slots=True)
class Settings:
    """All that the engine can be told, apart from the weights.

    ``mask_source`` is the name among ``MASK_SOURCES`` of what finds the regions, ``masks`` how each of
    them searches. ``label_mode`` says what names are made of; ``segmentor`` is the one whose classes they
    are in "closed-set", and ``name_clusters`` whether groups get a name in "clusters". With ``looks``
    each region also says what it looks like, where the model that found it knows. A ``vocabulary`` limits
    "open-vocabulary" and the names of clusters to the user's own classes.
    """

    masks: Mapping[str, MaskSettings] = field(default_factory=_usual_masks)
    labels: LabelSettings = field(default_factory=LabelSettings)
    batches: BatchSettings = field(default_factory=BatchSettings)
    image: ImageLimits = field(default_factory=ImageLimits)
    tree: TreeSettings = field(default_factory=TreeSettings)
    clusters: ClusterSettings = field(default_factory=ClusterSettings)
    selection: SelectionSettings = field(default_factory=SelectionSettings)
    phrases: PhraseSettings = field(default_factory=PhraseSettings)
    mask_source: str = "sam"
    label_mode: LabelMode = "open-vocabulary"
    segmentor: str = "ade20k"
    name_clusters: bool = False
    parts: bool | None = None
    looks: bool = False
    vocabulary: Vocabulary | None = None

    @property
    def with_parts(self) -> bool:
        """Whether regions form a tree of wholes and parts: unless told, where the source looks for parts."""
        return MASK_SOURCES[self.mask_source].finds_parts if self.parts is None else self.parts

    @property
    def names_freely(self) -> bool:
        """Whether regions or their groups get names of any kind."""
        named = self.label_mode == "clusters" and self.name_clusters
        return self.vocabulary is None and (named or self.label_mode == "open-vocabulary")

    def searching(self, source: str, **changes: Any) -> Settings:
        """The same with some settings of one source's search changed."""
        return replace(self, masks={**self.masks, source: replace(self.masks[source], **changes)})
