"""Frozen settings. A default carries its reason; what differs between bundles is data at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What a picture may be at most.

    Pillow itself refuses headers over 178,956,970 pixels, so a greater ``max_pixels`` stops there.
    """

    # A 100-megapixel camera's picture still passes; decoding it takes about 0.7 GB.
    max_pixels: int = 100_000_000


@dataclass(frozen=True, slots=True)
class MaskSettings:
    """Automatic mask generation; names and defaults are segment_anything's own."""

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


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """How many crops go through a model at once; larger is faster and takes more memory."""

    caption: int = 16
    clip: int = 32
    clipseg: int = 8


@dataclass(frozen=True, slots=True)
class Settings:
    """All that the engine can be told, apart from the weights."""

    masks: MaskSettings = field(default_factory=MaskSettings)
    labels: LabelSettings = field(default_factory=LabelSettings)
    batches: BatchSettings = field(default_factory=BatchSettings)
    image: ImageLimits = field(default_factory=ImageLimits)


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
            labels=LabelSettings(clipseg_side_px=96),
            batches=BatchSettings(caption=32, clip=64, clipseg=32),
        ),
    }
)
