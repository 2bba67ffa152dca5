"""Frozen settings. A default carries its reason; what differs between bundles stands in their manifest.

In: nothing. Out: values that everybody may know. May be changed: any default, with its reason; a new setting
is a field here, and an input of ``ssa.inputs`` where callers are to have it.
"""

from ssa.config.groups import (
    PUBLISHED_CLUSTERS,
    ClusterSettings,
    TreeSettings,
)
from ssa.config.masks import (
    GRANULARITIES,
    MASK_SOURCES,
    MaskSettings,
    MaskSource,
    SelectionSettings,
    check_mask_source,
)
from ssa.config.names import (
    PUBLISHED_RULES,
    LabelSettings,
    NameRules,
    PhraseSettings,
    PhraseUse,
    Vocabulary,
    VocabularyClass,
)
from ssa.config.settings import (
    LARGEST_BATCHES,
    BatchSettings,
    ImageLimits,
    LabelMode,
    Settings,
)

__all__ = [
    "GRANULARITIES",
    "LARGEST_BATCHES",
    "MASK_SOURCES",
    "PUBLISHED_CLUSTERS",
    "PUBLISHED_RULES",
    "BatchSettings",
    "ClusterSettings",
    "ImageLimits",
    "LabelMode",
    "LabelSettings",
    "MaskSettings",
    "MaskSource",
    "NameRules",
    "PhraseSettings",
    "PhraseUse",
    "SelectionSettings",
    "Settings",
    "TreeSettings",
    "Vocabulary",
    "VocabularyClass",
    "check_mask_source",
]
