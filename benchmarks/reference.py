"""The published pipeline (Semantic Segment Anything, 2023), plain: the measure, and no product path.

One mask at a time, float32, each library called as its documentation shows. Two things are as they
should have been: pictures are RGB, and a single candidate is a name and no crash. With the engine it
shares the masks, the label tables, noun extraction, the order of candidates and, but for the published
rules (``LabelSettings.rules``), the boxes of crops.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from benchmarks.published import Blip, ClassIds, Clip, ClipSeg, OneFormer
from ssa.config import LabelSettings
from ssa.labelling.candidates import merge_candidates
from ssa.labelling.labels import load_labels
from ssa.masks.run_lengths import decode
from ssa.pictures.crops import crop, scaled_box
from ssa.stages import NounExtractor
from ssa.types import BoolMask, BoxXYWH, MaskProposal, RGBImage, Vote
from ssa.weights import Bundle

Stage = Callable[[str], AbstractContextManager[None]]


class Named(NamedTuple):
    """What a mask is called, and the names it was chosen from in CLIP's order."""

    class_name: str
    class_proposals: tuple[str, ...]


def unwatched(_: str) -> AbstractContextManager[None]:
    """The stage of those who measure nothing."""
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Reference:
    """The published labelling: each step a function of one picture, or of one mask's crop."""

    segmentors: Mapping[str, Callable[[RGBImage], ClassIds]]
    caption: Callable[[RGBImage], str]
    nouns: NounExtractor
    score: Callable[[RGBImage, Sequence[str]], list[float]]
    count_wins: Callable[[RGBImage, BoolMask, Sequence[str]], list[int]]
    settings: LabelSettings

    @torch.no_grad()
    def label(
        self, image: RGBImage, proposals: Sequence[MaskProposal], stage: Stage = unwatched
    ) -> list[Named]:
        """Name each mask of ``image`` ((H, W, 3) RGB uint8); ``stage`` is entered around each step."""
        with stage("segmentors"):
            maps = {source: segment(image) for source, segment in self.segmentors.items()}
        return [self._name(image, proposal, maps, stage) for proposal in proposals]

    def _name(
        self,
        image: RGBImage,
        proposal: MaskProposal,
        maps: Mapping[str, ClassIds],
        stage: Stage,
    ) -> Named:
        mask = decode(proposal.rle)
        height, width = mask.shape

        rules = self.settings.rules

        def box(scale: float) -> tuple[int, int, int, int]:
            scaled = published_box if rules.cut_boxes else scaled_box
            return scaled(proposal.bbox_xywh, scale, height, width)

        with stage("segmentors"):
            votes = [vote(source, class_ids, mask) for source, class_ids in maps.items()]
        with stage("captioner"):
            caption = self.caption(crop(image, box(self.settings.captioner_crop_scale)))
        with stage("nouns"):
            (phrases,) = self.nouns.extract([caption], whole=rules.whole_phrases)
        candidates = merge_candidates(votes, phrases)
        with stage("ranker"):
            scores = self.score(crop(image, box(self.settings.ranker_crop_scale)), candidates)
            best_first = sorted(zip(scores, candidates, strict=True), key=lambda pair: -pair[0])
            top = tuple(label for _, label in best_first[: self.settings.top_k])
        if len(top) == 1:
            return Named(top[0], top)
        with stage("chooser"):
            around = box(self.settings.chooser_crop_scale)
            wins = self.count_wins(crop(image, around), crop(mask, around), top)
        return Named(top[wins.index(max(wins))], top)


def load_reference(
    bundle: Bundle, nouns: NounExtractor, settings: LabelSettings, device: torch.device
) -> Reference:
    """The published labelling with a bundle's weights, in float32."""
    return Reference(
        segmentors={
            source: OneFormer(bundle.folder(f"{source}_segmentor"), device)
            for source in ("coco", "ade20k")
        },
        caption=Blip(bundle.folder("captions"), settings.caption_max_tokens, device),
        nouns=nouns,
        score=Clip(bundle.folder("clip"), device),
        count_wins=ClipSeg(
            bundle.folder("clipseg"),
            settings.chooser_side_px,
            device,
            through_own_size=settings.rules.processor_grid,
        ),
        settings=settings,
    )


def published_box(
    bbox_xywh: BoxXYWH, scale: float, height: int, width: int
) -> tuple[int, int, int, int]:
    """A box scaled as mmcv does it: an array of four ends, cut off to integers, then clipped.

    mmcv's ends are the last column and row; the result's are one further, as those of a slice.
    """
    left, top, box_width, box_height = bbox_xywh
    ends = np.array([left, top, left + box_width, top + box_height], np.float64)
    further = np.array([box_width + 1, box_height + 1]) * (scale - 1) * 0.5
    moved = (ends + np.concatenate([-further, further])).astype(np.int32)
    x0, y0, x1, y1 = np.clip(moved, 0, np.array([width, height, width, height]) - 1).tolist()
    return x0, y0, x1 + 1, y1 + 1


def vote(source: str, class_ids: ClassIds, mask: BoolMask) -> Vote:
    """The class that most pixels of a mask have; of equals, the smallest id."""
    counts = np.bincount(class_ids[mask])
    winner = int(counts.argmax())
    return Vote(source, load_labels(source)[winner], counts[winner] / counts.sum())
