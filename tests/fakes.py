"""One small double a Protocol; each remembers what reached it, so that a test can look.

Those that work in batches have ``room`` for so many crops at once, and run out of memory at one more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ssa.config import MaskSettings
from ssa.errors import OutOfMemory
from ssa.masks.run_lengths import box_of, encode
from ssa.pictures.canvas import Canvas
from ssa.stages import Progress, Stages
from ssa.types import (
    RLE,
    BoolMask,
    ImageEmbedding,
    LabelMap,
    MaskProposal,
    ProposedMasks,
    RGBImage,
    ScoredLabel,
)


def proposal(mask: BoolMask, granularity: int | None = None) -> MaskProposal:
    """A proposal with this mask and plain scores."""
    height, width = mask.shape
    return MaskProposal(
        rle=encode(mask),
        bbox_xywh=box_of(mask),
        area_px=int(mask.sum()),
        predicted_iou=0.9,
        stability_score=0.95,
        crop_box_xywh=(0.0, 0.0, float(width), float(height)),
        points_xy=((1.5, 2.5),),
        granularity=granularity,
    )


def check_room(crops: Sequence[RGBImage], room: int) -> None:
    """Raise ``OutOfMemory`` when there are more crops than room."""
    if len(crops) > room:
        raise OutOfMemory(f"room for {room}, got {len(crops)}")


def squares(height: int, width: int, side: int) -> list[BoolMask]:
    """The picture cut into squares, row by row."""
    masks = []
    for top in range(0, height, side):
        for left in range(0, width, side):
            mask = np.zeros((height, width), np.bool_)
            mask[top : top + side, left : left + side] = True
            masks.append(mask)
    return masks


@dataclass
class FakeProposer:
    """Proposes the masks it was given, all at one granularity; keeps the settings it was asked with.

    Counts how often its embedding was fetched.
    """

    masks: list[BoolMask]
    granularity: int | None = None
    embedding: ImageEmbedding | None = None
    asked: list[MaskSettings] = field(default_factory=list)
    fetched: int = 0

    def propose(self, image: RGBImage, settings: MaskSettings, progress: Progress) -> ProposedMasks:
        self.asked.append(settings)
        progress(1, 2)
        progress(2, 2)
        found = tuple(proposal(mask, self.granularity) for mask in self.masks)
        return ProposedMasks(found, self._fetch if self.embedding else None)

    def _fetch(self) -> ImageEmbedding:
        assert self.embedding is not None
        self.fetched += 1
        return self.embedding


@dataclass
class FakeEmbedder:
    """Four cells, one a quarter of the picture, each unlike the others; counts how often it was asked."""

    asked: int = 0

    def embed_image(self, image: RGBImage) -> ImageEmbedding:
        self.asked += 1
        return ImageEmbedding(np.eye(4, dtype=np.float32).reshape(4, 2, 2), (2.0, 2.0))


@dataclass
class FakeSegmentor:
    """One class for the left half of any picture, another for the right."""

    source: str = "coco"
    labels: tuple[str, ...] = ("sky", "grass")

    def segment(
        self, image: RGBImage | Canvas, *, coarse: bool = False, plain: bool = False
    ) -> LabelMap:
        class_ids = np.zeros(image.shape[:2], np.int16)
        class_ids[:, image.shape[1] // 2 :] = 1
        return LabelMap(self.source, class_ids, self.labels)


@dataclass
class FakeCaptioner:
    """Tells a crop's size; keeps the crops."""

    batches: list[list[RGBImage]] = field(default_factory=list)
    room: int = 1000

    def caption(self, crops: Sequence[RGBImage]) -> list[str]:
        check_room(crops, self.room)
        self.batches.append(list(crops))
        return [f"a thing {crop.shape[1]} by {crop.shape[0]}" for crop in crops]


@dataclass
class FakeNouns:
    """The same nouns for every caption."""

    nouns: tuple[str, ...] = ("red car", "car")

    def extract(self, captions: Sequence[str], *, whole: bool = False) -> list[tuple[str, ...]]:
        return [self.nouns for _ in captions]


@dataclass
class FakeRanker:
    """Longer labels are better."""

    batches: list[list[RGBImage]] = field(default_factory=list)
    room: int = 1000

    def rank(
        self, crops: Sequence[RGBImage], candidates: Sequence[Sequence[str]]
    ) -> list[tuple[ScoredLabel, ...]]:
        check_room(crops, self.room)
        self.batches.append(list(crops))
        return [self._rank(labels) for labels in candidates]

    def _rank(self, labels: Sequence[str]) -> tuple[ScoredLabel, ...]:
        total = sum(map(len, labels))
        scored = [ScoredLabel(label, len(label) / total) for label in labels]
        return tuple(sorted(scored, key=lambda one: -one.score))


@dataclass
class FakeChooser:
    """The last candidate wins three quarters; keeps crops and masks."""

    crops: list[RGBImage] = field(default_factory=list)
    masks: list[BoolMask] = field(default_factory=list)
    asked: list[tuple[str, ...]] = field(default_factory=list)
    room: int = 1000

    def choose(
        self,
        crops: Sequence[RGBImage],
        masks: Sequence[BoolMask],
        candidates: Sequence[Sequence[str]],
        *,
        at_own_size: bool = False,
    ) -> list[tuple[ScoredLabel, ...]]:
        check_room(crops, self.room)
        self.crops += crops
        self.masks += masks
        self.asked += [tuple(labels) for labels in candidates]
        return [
            (ScoredLabel(labels[-1], 0.75), ScoredLabel(labels[0], 0.25)) for labels in candidates
        ]


@dataclass
class FakeDenseRanker:
    """Longer labels are better and win three quarters; keeps what it looked at and the masks of each call."""

    looks: list[RGBImage] = field(default_factory=list)
    masks: list[list[RLE]] = field(default_factory=list)
    room: int = 1000

    def look(self, image: RGBImage) -> RGBImage:
        self.looks.append(image)
        return image

    def rank(
        self,
        view: RGBImage,
        masks: Sequence[RLE],
        candidates: Sequence[Sequence[str]],
        most: int | None = None,
    ) -> list[tuple[ScoredLabel, ...]]:
        self._note(view, masks)
        ranked = FakeRanker().rank([view] * len(masks), candidates)
        return [own[:most] for own in ranked]

    def choose(
        self, view: RGBImage, masks: Sequence[RLE], candidates: Sequence[Sequence[str]]
    ) -> list[tuple[ScoredLabel, ...]]:
        self._note(view, masks)
        return FakeChooser().choose([view] * len(masks), [], candidates)

    def _note(self, view: RGBImage, masks: Sequence[RLE]) -> None:
        if len(masks) > self.room:
            raise OutOfMemory(f"room for {self.room}, got {len(masks)}")
        assert all((mask.height, mask.width) == view.shape[:2] for mask in masks)
        self.masks.append(list(masks))


@dataclass
class FakePhrases:
    """Finds for each phrase the masks that it was given, by their scores; keeps what it was asked."""

    instances: dict[str, list[tuple[BoolMask, float]]]
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def find(
        self, image: RGBImage, phrases: Sequence[str], least_score: float, progress: Progress
    ) -> list[tuple[MaskProposal, ...]]:
        self.asked.append(tuple(phrases))
        progress(len(phrases), len(phrases))
        return [tuple(self._known(phrase, least_score)) for phrase in phrases]

    def _known(self, phrase: str, least_score: float) -> list[MaskProposal]:
        own = sorted(self.instances.get(phrase, []), key=lambda one: -one[1])
        return [instance(mask, score) for mask, score in own if score > least_score]


def instance(mask: BoolMask, score: float) -> MaskProposal:
    """An instance of a phrase with this mask and score."""
    return replace(proposal(mask), predicted_iou=score, points_xy=())


def stages(masks: list[BoolMask]) -> Stages:
    """A full set of doubles around the given masks."""
    segmentors = {"coco": FakeSegmentor(), "ade20k": FakeSegmentor("ade20k", ("tree", "field"))}
    return Stages(
        proposers={"sam": FakeProposer(masks), "semantic-sam": FakeProposer(masks, granularity=3)},
        embedder=FakeEmbedder(),
        segmentors=tuple(segmentors.values()),
        closed_set=segmentors,
        captioner=FakeCaptioner(),
        nouns=FakeNouns(),
        ranker=FakeRanker(),
        chooser=FakeChooser(),
    )
