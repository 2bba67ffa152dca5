"""What flows through the engine: immutable values, each made by one step and edited by none.

Coordinates are pixels of the full picture, origin top left, x to the right and y down. Boxes say their
layout in their name: ``_xywh`` is left, top, width, height; ``_xyxy`` is left, top, right, bottom.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

RGBImage = NDArray[np.uint8]
"""(H, W, 3) uint8, colours in the order red, green, blue, 0 to 255."""

BoolMask = NDArray[np.bool_]
"""(H, W) bool, true inside the region."""

BoxXYWH = tuple[float, float, float, float]
BoxXYXY = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class RLE:
    """A mask in COCO's compressed run-length encoding: column-major runs, ``counts`` as ASCII text."""

    height: int
    width: int
    counts: str


@dataclass(frozen=True, slots=True)
class MaskProposal:
    """One region that a mask model found, still without a name.

    ``predicted_iou`` is the model's own estimate of its mask's quality (about 0 to 1, not clipped);
    ``stability_score`` is the IoU between the mask cut at a higher and at a lower logit (0 to 1).
    ``crop_box_xywh`` is the part of the picture the model saw, ``points_xy`` the prompts it was given.
    """

    rle: RLE
    bbox_xywh: BoxXYWH
    area_px: int
    predicted_iou: float
    stability_score: float
    crop_box_xywh: BoxXYWH
    points_xy: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class LabelMap:
    """A closed-set segmentor's opinion on every pixel.

    ``class_ids`` is (H, W) of a signed integer type, each an index into ``labels``; ``source`` names
    the segmentor ("coco", "ade20k").
    """

    source: str
    class_ids: NDArray[np.int16]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Vote:
    """The class that most pixels of a mask have in one label map, and the share that has it (0 to 1)."""

    source: str
    label: str
    share: float


@dataclass(frozen=True, slots=True)
class ScoredLabel:
    """A label and its score, 0 to 1; the step that made it says of what."""

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a mask got its name: what each stage said of it.

    ``ranking`` holds CLIP's softmax over all candidates, best first (sums to 1). ``shares`` holds, for
    the proposals, the share of the mask's pixels that each wins in CLIPSeg, best first (sums to 1);
    a single candidate has share 1 without CLIPSeg having been asked.
    """

    votes: tuple[Vote, ...]
    caption: str
    noun_phrases: tuple[str, ...]
    ranking: tuple[ScoredLabel, ...]
    shares: tuple[ScoredLabel, ...]

    @property
    def margin(self) -> float:
        """Share of the winner less share of the runner-up, 0 to 1; 1 when there was one candidate."""
        runner_up = self.shares[1].score if len(self.shares) > 1 else 0.0
        return self.shares[0].score - runner_up


@dataclass(frozen=True, slots=True)
class Annotation:
    """A named region: the proposal, its name, and the names it was chosen from (CLIP's order)."""

    proposal: MaskProposal
    class_name: str
    class_proposals: tuple[str, ...]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class AnnotatedImage:
    """All named regions of one picture, in the order the mask model gave them.

    ``stage_seconds`` holds wall-clock seconds by stage name; it takes no part in comparisons.
    """

    height: int
    width: int
    annotations: tuple[Annotation, ...]
    stage_seconds: Mapping[str, float] = field(
        default_factory=lambda: MappingProxyType({}), compare=False
    )
