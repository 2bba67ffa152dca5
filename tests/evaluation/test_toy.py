"""The yardstick itself: IoU, mean IoU, what counts, and that perfect models score one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from fakes import proposal

from evaluation.agreement import Agreement
from evaluation.metrics import mean_iou, overlaps
from evaluation.toy import Evaluation
from ssa.config import MaskSettings, Settings
from ssa.engine import Engine
from ssa.labelling.labels import load_labels
from ssa.pictures.canvas import Canvas
from ssa.stages import Progress, Stages
from ssa.types import AnnotatedImage, BoolMask, LabelMap, ProposedMasks, RGBImage, ScoredLabel
from toyworld.kinds import KINDS, class_id
from toyworld.scenes import Scene
from toyworld.unseen import counts, right_names, scenes


class Oracle:
    """Every model at once, each giving the truth of one scene."""

    def __init__(self, scene: Scene, source: str = "coco") -> None:
        self.scene, self.source = scene, source

    def propose(self, image: RGBImage, settings: MaskSettings, progress: Progress) -> ProposedMasks:
        return ProposedMasks(tuple(proposal(region.mask) for region in self.scene.regions))

    def segment(
        self, image: RGBImage | Canvas, *, coarse: bool = False, plain: bool = False
    ) -> LabelMap:
        ids = self.scene.coco if self.source == "coco" else self.scene.ade20k
        return LabelMap(self.source, ids.astype(np.int16), load_labels(self.source))

    def caption(self, crops: Sequence[RGBImage]) -> list[str]:
        return [" ".join(KINDS)] * len(crops)

    def extract(self, captions: Sequence[str], *, whole: bool = False) -> list[tuple[str, ...]]:
        return [()] * len(captions)

    def rank(
        self, crops: Sequence[RGBImage], candidates: Sequence[Sequence[str]]
    ) -> list[tuple[ScoredLabel, ...]]:
        return [tuple(ScoredLabel(label, 0.5) for label in labels) for labels in candidates]

    def choose(
        self,
        crops: Sequence[RGBImage],
        masks: Sequence[BoolMask],
        candidates: Sequence[Sequence[str]],
        *,
        at_own_size: bool = False,
    ) -> list[tuple[ScoredLabel, ...]]:
        return self.rank(crops, candidates)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return next(scenes(1, seed=3))[0]


def test_true_masks_and_label_maps_score_one(scene: Scene) -> None:
    oracle = Oracle(scene)
    segmentors = (oracle, Oracle(scene, "ade20k"))
    evaluation = Evaluation(
        Stages({"sam": oracle}, segmentors, oracle, oracle, oracle, oracle), Settings()
    )
    evaluation.see(scene, np.random.default_rng(0))
    figures = evaluation.report()
    assert figures["masks.object_recall_70"] == 1
    assert figures["masks.part_recall_70"] == 1 or np.isnan(figures["masks.part_recall_70"])
    assert figures["segmentors.coco.miou"] == 1
    assert figures["segmentors.ade20k.miou"] == 1
    assert figures["masks.per_scene"] == len(scene.regions)
    assert figures["captions.names_object"] == 1
    # Without nouns the COCO vote decides: right where a kind has a class of its own there.
    objects = [i for i, r in enumerate(scene.regions) if counts(r, "object")]
    labels = load_labels("coco")
    voted = [labels[class_id(scene.regions[i].kind, "coco")] for i in objects]
    right = [name in right_names(scene, i) for name, i in zip(voted, objects, strict=True)]
    assert figures["engine.named_given_found"] == pytest.approx(np.mean(right))
    # This ranker keeps the order of the kinds, so its first three are stuff.
    assert figures["clip.top3_recall"] == 0


class OneNoun(Oracle):
    """Beside the votes one more candidate, so that each mask has two or three."""

    def extract(self, captions: Sequence[str], *, whole: bool = False) -> list[tuple[str, ...]]:
        return [("thing",)] * len(captions)


class Slipping(OneNoun):
    """Misses the last region, halves the first; has another noun for the first crop, and turns the rankings
    of the first two round.
    """

    def extract(self, captions: Sequence[str], *, whole: bool = False) -> list[tuple[str, ...]]:
        return [("mistake",), *super().extract(captions)[1:]]

    def propose(self, image: RGBImage, settings: MaskSettings, progress: Progress) -> ProposedMasks:
        masks = [region.mask.copy() for region in self.scene.regions[:-1]]
        rows = np.flatnonzero(masks[0].any(1))
        masks[0][rows[len(rows) // 2] :] = False
        return ProposedMasks(tuple(proposal(mask) for mask in masks))

    def rank(
        self, crops: Sequence[RGBImage], candidates: Sequence[Sequence[str]]
    ) -> list[tuple[ScoredLabel, ...]]:
        ranked = super().rank(crops, candidates)
        return [ranked[0][::-1], ranked[1][::-1], *ranked[2:]]

    def choose(
        self,
        crops: Sequence[RGBImage],
        masks: Sequence[BoolMask],
        candidates: Sequence[Sequence[str]],
        *,
        at_own_size: bool = False,
    ) -> list[tuple[ScoredLabel, ...]]:
        return super().rank(crops, candidates)


def test_agreement_is_counted_mask_by_mask(scene: Scene) -> None:
    def engine(oracle: Oracle) -> Engine:
        segmentors = (oracle, Oracle(scene, "ade20k"))
        return Engine(Stages({"sam": oracle}, segmentors, oracle, oracle, oracle, oracle))

    right, slipping = engine(OneNoun(scene)), engine(Slipping(scene))
    agreement = Agreement(right, slipping, Settings())
    n = len(scene.regions)
    agreement.see(scene.image, slipping.annotate(scene.image, Settings()))
    figures = agreement.report()
    # The first mask has another name and other proposals, the second the same two the other way round.
    assert figures["agreement.class_name"] == pytest.approx(1 - 2 / n)
    assert figures["agreement.class_proposals"] == pytest.approx(1 - 1 / n)
    assert figures["agreement.masks"] == pytest.approx(1 - 2 / n)
    same = Agreement(right, engine(OneNoun(scene)), Settings())
    same.see(scene.image, right.annotate(scene.image, Settings()))
    assert set(same.report().values()) == {1.0}
    same.see(scene.image, AnnotatedImage(*scene.image.shape[:2], ()))
    assert same.report()["agreement.masks"] == 0.5


def test_mean_iou_by_hand() -> None:
    # Truth: 4 pixels of class 0, 2 of class 1, none of class 2.
    confusion = np.array([[3, 0, 1], [1, 1, 0], [0, 0, 0]])
    assert mean_iou(confusion) == pytest.approx((3 / 5 + 1 / 2) / 2)


def test_overlaps_by_hand() -> None:
    truth = np.array([[1, 1, 0, 0]], np.bool_)
    masks = np.array([[[1, 1, 0, 0]], [[1, 0, 0, 0]], [[0, 1, 1, 0]], [[0, 0, 1, 1]]], np.bool_)
    assert overlaps(masks, truth).tolist() == pytest.approx([1, 1 / 2, 1 / 3, 0])
    assert overlaps(masks[:0], truth).shape == (0,)


def test_right_names_hold_the_kind_with_its_colour(scene: Scene) -> None:
    for index, region in enumerate(scene.regions):
        names = right_names(scene, index)
        assert region.kind in names
        assert region.colour is None or f"{region.colour} {region.kind}" in names


def test_evaluation_scenes_repeat_and_differ_between_seeds() -> None:
    first, again, other = (next(scenes(1, seed))[0] for seed in (1, 1, 2))
    assert np.array_equal(first.image, again.image)
    assert not np.array_equal(first.image, other.image)
