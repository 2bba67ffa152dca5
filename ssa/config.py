"""Frozen settings. A default carries its reason; what differs between bundles is data at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

MaskSource = Literal["sam", "semantic-sam"]
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

    caption_crop_scale: float = 1.6
    clip_crop_scale: float = 1.2
    clipseg_crop_scale: float = 1.6
    # CLIPSeg's square input. The published engine uses 512; the model was trained at 352.
    clipseg_side_px: int = 512
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

    caption: int = 16
    clip: int = 32
    clipseg: int = 8


# The published demo's, whose clicks go through in batches of 200.
_SEMANTIC_SAM_MASKS = MaskSettings(
    points_per_batch=200, pred_iou_thresh=0.88, stability_score_thresh=0.92
)


@dataclass(frozen=True, slots=True)
class Settings:
    """All that the engine can be told, apart from the weights.

    ``mask_source`` says which model finds the regions, and with it whether ``masks`` or
    ``semantic_sam_masks`` count. ``label_mode`` says what names are made of; ``segmentor`` is the one whose
    classes they are in "closed-set", and ``name_clusters`` whether groups get a name in "clusters". A
    ``vocabulary`` limits "open-vocabulary" and the names of clusters to the user's own classes.
    """

    masks: MaskSettings = field(default_factory=MaskSettings)
    labels: LabelSettings = field(default_factory=LabelSettings)
    batches: BatchSettings = field(default_factory=BatchSettings)
    image: ImageLimits = field(default_factory=ImageLimits)
    semantic_sam_masks: MaskSettings = _SEMANTIC_SAM_MASKS
    tree: TreeSettings = field(default_factory=TreeSettings)
    clusters: ClusterSettings = field(default_factory=ClusterSettings)
    mask_source: MaskSource = "sam"
    label_mode: LabelMode = "open-vocabulary"
    segmentor: str = "ade20k"
    name_clusters: bool = False
    parts: bool | None = None
    vocabulary: Vocabulary | None = None

    @property
    def with_parts(self) -> bool:
        """Whether regions form a tree of wholes and parts: unless told, where the model looks for parts."""
        return self.mask_source == "semantic-sam" if self.parts is None else self.parts


# The published engine scripts: looser thresholds than segment_anything's defaults, islands and holes
# under 100 px cleaned. `light` has a quarter of the points (16 a side).
_PUBLISHED_MASKS = MaskSettings(
    pred_iou_thresh=0.86, stability_score_thresh=0.92, min_mask_region_area=100
)

BUNDLE_SETTINGS: Mapping[str, Settings] = MappingProxyType(
    {
        "base": Settings(masks=_PUBLISHED_MASKS),
        "light": Settings(masks=replace(_PUBLISHED_MASKS, points_per_side=16)),
        # The miniature models see small pictures and are less sure of themselves.
        "tiny": Settings(
            masks=MaskSettings(
                points_per_side=16,
                points_per_batch=128,
                pred_iou_thresh=0.5,
                stability_score_thresh=0.6,
                min_mask_region_area=100,
            ),
            # Chosen on scenes of the training range. More points find no more, and take longer.
            semantic_sam_masks=MaskSettings(
                points_per_side=20,
                points_per_batch=200,
                pred_iou_thresh=0.6,
                stability_score_thresh=0.4,
                min_mask_region_area=50,
            ),
            # unknown_below was chosen on drawn scenes; of 0.2 to 0.5 all do about as well.
            labels=LabelSettings(clipseg_side_px=96, unknown_below=0.3),
            batches=BatchSettings(caption=32, clip=64, clipseg=32),
        ),
    }
)
