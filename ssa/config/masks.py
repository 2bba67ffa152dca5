"""How regions are searched for, which of them are kept, and the models that find them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ssa.checks import shown_text
from ssa.errors import InputError

GRANULARITIES = (1, 2, 3, 4, 5, 6)
"""Semantic-SAM's levels, from wholes to parts."""


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
class MaskSource:
    """A way to find regions, by the name that callers know it by.

    ``role`` is the folder of a bundle that its weights lie in; which model it is, the folder's own
    configuration says. ``masks`` is how it searches unless told. ``finds_parts`` is whether it looks for
    parts beside wholes, at levels of granularity; ``by_phrases`` whether it looks for names, without a grid.
    """

    role: str
    masks: MaskSettings = field(default_factory=MaskSettings)
    finds_parts: bool = False
    by_phrases: bool = False


MASK_SOURCES: Mapping[str, MaskSource] = MappingProxyType(
    {
        "sam": MaskSource("sam"),
        # The published demo's settings, whose clicks go through in batches of 200.
        "semantic-sam": MaskSource(
            "semantic_sam",
            MaskSettings(points_per_batch=200, pred_iou_thresh=0.88, stability_score_thresh=0.92),
            finds_parts=True,
        ),
        "phrases": MaskSource("phrases", by_phrases=True),
    }
)


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
