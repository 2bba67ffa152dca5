"""Frozen settings. A default carries its reason; what differs between bundles stands in their manifest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

from ssa.checks import shown_text
from ssa.errors import InputError

LabelMode = Literal["open-vocabulary", "closed-set", "clusters", "none"]

GRANULARITIES = (1, 2, 3, 4, 5, 6)
"""Semantic-SAM's levels, from wholes to parts."""


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What a picture may be at most.

    Pillow itself refuses headers over 178,956,970 pixels, so a greater ``max_pixels`` stops there.
    """

    # A 100-megapixel camera's picture still passes; decoding it takes about 0.7 GB.
    max_pixels: int = 100_000_000


@dataclass(frozen=True, slots=True)
class MaskSettings:
    """Automatic mask generation; names and defaults are segment_anything's own.

    ``granularities`` are the levels that Semantic-SAM answers at; SAM has none.
    """

    points_per_side: int = 32
    points_per_batch: int = 64
    pred_iou_thresh: float = 0.88
    stability_score_thresh: float = 0.95
    stability_score_offset: float = 1.0
    box_nms_thresh: float = 0.7
    crop_n_layers: int = 0
    crop_nms_thresh: float = 0.7
    crop_overlap_ratio: float = 512 / 1500
    crop_n_points_downscale_factor: int = 1
    min_mask_region_area: int = 0
    granularities: tuple[int, ...] = GRANULARITIES


@dataclass(frozen=True, slots=True)
class SelectionSettings:
    """Which of the masks that were found are kept, and whether they may share pixels."""

    # Masks whose IoU is more are copies; 1 keeps all, as published: there only boxes are compared.
    mask_nms_thresh: float = 1.0
    # None for as many as there are.
    max_masks: int | None = None
    # Without, a pixel belongs to the smallest mask on it, once all have their names.
    overlaps: bool = True


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """When a mask is a part of another."""

    # Masks of wholes end a pixel or two short of their parts' outlines, so a part may stick out a little.
    containment: float = 0.9
    # Two masks of one thing differ by a few per cent; a whole is clearly larger than its part.
    least_growth: float = 1.25


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """Grouping of alike regions: their embeddings, and DBSCAN (cosine distance) over these.

    The defaults are what did best on drawn scenes with the miniature SAM (``./scripts/evaluate clusters``).
    """

    # For standardised embeddings; 0.44 to 0.52 do about as well.
    eps: float = 0.48
    # Two of a kind are a group.
    min_samples: int = 2
    # "share": a cell of the embedding counts by how much of it the mask covers; "touched": the published
    # rule, all cells alike that hold more than one of the mask's pixels.
    weighting: Literal["share", "touched"] = "share"
    # Channels less their mean over the picture, and by their spread: all cells share a large common part.
    standardised: bool = True
    # Take apart what only a chain of likenesses holds together: no two halves of a group are more than eps
    # apart on average. Without, one thing between two kinds makes them one group.
    cohesive: bool = True
    # So many members of a cluster are named to name it.
    representatives: int = 3


# The settings of the project that had the idea (SAM-Automatic-Semantic-Segmentation, 2023).
PUBLISHED_CLUSTERS = ClusterSettings(
    eps=0.06, min_samples=8, weighting="touched", standardised=False, cohesive=False
)


@dataclass(frozen=True, slots=True)
class VocabularyClass:
    """A class of the user's own: what records call it, and all texts that models are asked for it.

    ``texts`` begin with the label; its synonyms follow.
    """

    label: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The only names that regions may get, but for "unknown".

    ``ssa.labelling.vocabulary`` reads and checks one. No text stands in it twice.
    """

    classes: tuple[VocabularyClass, ...]


@dataclass(frozen=True, slots=True)
class LabelSettings:
    """How a mask gets its name; scales multiply the mask's box about its centre."""

    captioner_crop_scale: float = 1.6
    ranker_crop_scale: float = 1.2
    chooser_crop_scale: float = 1.6
    # CLIPSeg's square input. The published engine uses 512; the model was trained at 352.
    chooser_side_px: int = 512
    top_k: int = 3
    # Captions of crops are short; BLIP's own default is 20 tokens.
    caption_max_tokens: int = 20
    # With a vocabulary, a region is unknown when CLIP gives less than this share of its softmax to all of the
    # vocabulary, beside everyday labels: by default when it is more likely something else.
    unknown_below: float = 0.5
    # With a vocabulary, CLIPSeg decides among the best classes whose share is at least this part of the best
    # one's. Most of a vocabulary has nothing to do with a region, and CLIPSeg is easily led astray: on drawn
    # scenes 80 % of names were right without this bound, 97 % with it; 0.03 to 1 do about as well.
    least_of_best: float = 0.1


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """How many crops go through a model at once; larger is faster and takes more memory."""

    captioner: int = 16
    ranker: int = 32
    chooser: int = 8


# What a GPU with room for it works on at once: beyond, batches gain nothing more.
LARGEST_BATCHES = BatchSettings(captioner=128, ranker=128, chooser=64)


@dataclass(frozen=True, slots=True)
class MaskSource:
    """A way to find regions, by the name that callers know it by.

    ``role`` is the folder of a bundle that its weights lie in; which model it is, the folder's own
    configuration says. ``masks`` is how it searches unless told. ``finds_parts`` is whether it looks for
    parts beside wholes, at levels of granularity.
    """

    role: str
    masks: MaskSettings = field(default_factory=MaskSettings)
    finds_parts: bool = False


MASK_SOURCES: Mapping[str, MaskSource] = MappingProxyType(
    {
        "sam": MaskSource("sam"),
        # The published demo's settings, whose clicks go through in batches of 200.
        "semantic-sam": MaskSource(
            "semantic_sam",
            MaskSettings(points_per_batch=200, pred_iou_thresh=0.88, stability_score_thresh=0.92),
            finds_parts=True,
        ),
    }
)


def _usual_masks() -> dict[str, MaskSettings]:
    return {name: source.masks for name, source in MASK_SOURCES.items()}


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

    def searching(self, source: str, **changes: Any) -> Settings:
        """The same with some settings of one source's search changed."""
        return replace(self, masks={**self.masks, source: replace(self.masks[source], **changes)})


def check_mask_source(
    name: str, there: Iterable[str], remedies: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Raise ``InputError`` unless a mask source is there; ``remedies`` says what brings those that aren't."""
    names = tuple(there)
    if name not in names:
        remedy = remedies.get(name, "use one of those")
        raise InputError(
            f"mask_source must be one whose weights are there ({', '.join(names) or 'none'}); "
            f"got {shown_text(name)}; {remedy}"
        )
