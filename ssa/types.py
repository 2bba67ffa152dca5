"""What flows through the engine: immutable values, each made by one step and edited by none.

Coordinates are pixels of the full picture, origin top left, x to the right and y down. Boxes say their
layout in their name: ``_xywh`` is left, top, width, height; ``_xyxy`` is left, top, right, bottom.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NewType

import numpy as np
from numpy.typing import NDArray

RGBImage = NDArray[np.uint8]
"""(H, W, 3) uint8, colours in the order red, green, blue, 0 to 255."""

BoolMask = NDArray[np.bool_]
"""(H, W) bool, true inside the region."""

BoxXYWH = tuple[float, float, float, float]
BoxXYXY = tuple[int, int, int, int]
"""Left, top, right, bottom, whose ends lie outside: the first column and row that the box doesn't have."""

ExtentXYXY = NewType("ExtentXYXY", tuple[int, int, int, int])
"""The same four, whose ends lie inside: the last column and row, as segment_anything counts a mask's box."""


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
    ``granularity`` is Semantic-SAM's level, 1 to 6, that the mask came from; None where the model has none.
    """

    rle: RLE
    bbox_xywh: BoxXYWH
    area_px: int
    predicted_iou: float
    stability_score: float
    crop_box_xywh: BoxXYWH
    points_xy: tuple[tuple[float, float], ...]
    granularity: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ImageEmbedding:
    """What a mask model's encoder sees of a picture.

    ``features`` is (C, rows, columns) float32, one vector a cell. The picture fills the first
    ``extent_hw`` rows and columns of cells (fractions allowed); the rest is padding.
    """

    features: NDArray[np.float32]
    extent_hw: tuple[float, float]


@dataclass(frozen=True, slots=True)
class ProposedMasks:
    """The regions that a mask model found in a picture.

    ``fetch_embedding`` reads the picture's embedding back from the model's device, where it stays until the
    masks are gone, for few want it; None where the model has none. ``named`` are the same regions with their
    names, where they were found by these.
    """

    proposals: tuple[MaskProposal, ...]
    fetch_embedding: Callable[[], ImageEmbedding] | None = field(
        default=None, compare=False, repr=False
    )
    named: tuple[Annotation, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture to annotate; its regions, if they were found before, else None."""

    image: RGBImage
    proposals: tuple[MaskProposal, ...] | None = None


@dataclass(frozen=True, slots=True)
class TreeNode:
    """A region's place in the tree of wholes and parts; its id is its position among the proposals.

    ``parent`` is the id of the whole it is a part of, None for a root; ``level`` counts the wholes above
    it, 0 for a root.
    """

    parent: int | None
    level: int


@dataclass(frozen=True, slots=True)
class LabelMap:
    """A closed-set segmentor's opinion on every pixel.

    ``class_ids`` is (H, W) of a signed integer type, each an index into ``labels``; ``source`` names
    the segmentor ("coco", "ade20k"). ``count``, if the segmentor knows a quick way, gives the pixels of each
    class under each of M masks, (M, len(labels)). Where somebody only wants to count, the map may be coarser:
    (h, w) cells, of which each pixel has the class of the one that it lies in.
    """

    source: str
    class_ids: NDArray[np.int16]
    labels: tuple[str, ...]
    count: Callable[[Sequence[RLE]], NDArray[np.int64]] | None = field(
        default=None, compare=False, repr=False
    )


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
    """Why a mask got its name: what each stage said of it. A stage that was not asked left nothing.

    ``ranking`` holds the ranker's softmax over all candidates, best first (sums to 1); with a vocabulary, of
    its best classes (sums to 1 at most). ``shares`` holds, for the proposals, the share of the mask's pixels
    that each wins in the chooser, best first (sums to 1); a single candidate has share 1 without it having
    been asked. ``cluster_id`` is the group of alike regions it fell into, -1 for none of them; None where
    regions were not grouped. ``embedding`` says what it looks like, beside the regions of any picture: a
    direction (length 1) in float16's numbers, None where none was asked for. ``models`` are pairs of what was
    said (a vote's source, "caption", "bank", "clip", "clipseg", "phrases") and the name of the model that
    said it.
    ``bank`` holds the best labels of the label bank, if that was asked, by their shares in a dense ranker's
    softmax over all of it. ``agreement`` says of the proposals that were asked as phrases, best first, how
    well their instances agree with the mask: the greatest IoU × instance's score, 0 to 1, and 0 without an
    instance; ``moved_to`` is the proposal that took the name by it.
    """

    votes: tuple[Vote, ...] = ()
    caption: str = ""
    noun_phrases: tuple[str, ...] = ()
    ranking: tuple[ScoredLabel, ...] = ()
    shares: tuple[ScoredLabel, ...] = ()
    cluster_id: int | None = None
    embedding: tuple[float, ...] | None = field(default=None, repr=False)
    models: tuple[tuple[str, str], ...] = ()
    bank: tuple[ScoredLabel, ...] = ()
    agreement: tuple[ScoredLabel, ...] = ()
    moved_to: str | None = None

    @property
    def margin(self) -> float | None:
        """Share of the winner less share of the runner-up, 0 to 1; 1 when there was one candidate.

        None where nothing was chosen.
        """
        if not self.shares:
            return None
        runner_up = self.shares[1].score if len(self.shares) > 1 else 0.0
        return self.shares[0].score - runner_up


@dataclass(frozen=True, slots=True)
class Annotation:
    """A region and what was said of it: its name, and the names it was chosen from (CLIP's order).

    ``class_name`` is None where no label was asked for. ``node`` is the region's place among wholes and
    parts, where that was asked for; ``part_of`` is the name of the whole that it was named a part of.
    ``confidence`` is the probability that the name is right, 0 to 1; None where nobody has fitted one.
    ``source`` is "phrase" for a region that was missed, and found by the name of another.
    """

    proposal: MaskProposal
    class_name: str | None
    class_proposals: tuple[str, ...] = ()
    evidence: Evidence = Evidence()
    node: TreeNode | None = None
    part_of: str | None = None
    confidence: float | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class AnnotatedImage:
    """All regions of one picture, in the order the mask model gave them.

    ``stage_seconds`` holds wall-clock seconds by stage name; of pictures that were annotated together, each
    has an equal share. ``label_map`` is what the regions' votes
    were painted on, where labels are of a closed set. Neither takes part in comparisons.
    """

    height: int
    width: int
    annotations: tuple[Annotation, ...]
    stage_seconds: Mapping[str, float] = field(
        default_factory=lambda: MappingProxyType({}), compare=False
    )
    label_map: LabelMap | None = field(default=None, compare=False)
