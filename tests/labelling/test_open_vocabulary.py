"""Naming down the tree: what parts are asked, in which order, and what their records say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from fakes import (
    FakeCaptioner,
    FakeChooser,
    FakeDenseRanker,
    FakeNouns,
    FakeRanker,
    FakeSegmentor,
    proposal,
    stages,
)

from ssa.config import BatchSettings, Settings
from ssa.labelling.bank import label_bank
from ssa.labelling.noun_lists import NounLists
from ssa.labelling.open_vocabulary import ROOT, Naming
from ssa.pictures.regions import Regions
from ssa.progress import StageLog, StageReport, keep_silent
from ssa.stages import Stages
from ssa.types import Annotation, BoolMask, RGBImage, ScoredLabel, TreeNode

SETTINGS = Settings(batches=BatchSettings(captioner=4, ranker=2, chooser=2))

HEIGHT, WIDTH = 40, 60


def box(left: int, top: int, right: int, bottom: int) -> BoolMask:
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[top:bottom, left:right] = True
    return mask


@dataclass
class Seer:
    """Ranks first the text it is told, then the others from the last; a mask is known by its crop's width."""

    best: dict[int, str]
    asked: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)

    def rank(
        self, crops: Sequence[RGBImage], candidates: Sequence[Sequence[str]]
    ) -> list[tuple[ScoredLabel, ...]]:
        rankings = []
        for crop, texts in zip(crops, candidates, strict=True):
            self.asked.append((crop.shape[1], tuple(texts)))
            first = self.best[crop.shape[1]]
            order = [first, *(text for text in reversed(texts) if text != first)]
            rankings.append(tuple(ScoredLabel(text, 1 / len(order)) for text in order))
        return rankings

    def texts_of(self, width: int) -> tuple[str, ...]:
        return dict(self.asked)[width]


@dataclass
class FirstChooser:
    """The first candidate wins; knows the widths of masks, and their texts, that it was asked for."""

    asked: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)

    def choose(
        self,
        crops: Sequence[RGBImage],
        masks: Sequence[BoolMask],
        candidates: Sequence[Sequence[str]],
        *,
        at_own_size: bool = False,
    ) -> list[tuple[ScoredLabel, ...]]:
        for mask, texts in zip(masks, candidates, strict=True):
            self.asked.append((int(mask[0].sum()), tuple(texts)))
        return [tuple(ScoredLabel(t, float(i == 0)) for i, t in enumerate(c)) for c in candidates]


def street(seer: Seer) -> Stages:
    """All pixels are "car" or "vehicle" to the segmentors; captions speak of a "red car"."""
    return replace(
        stages([]),
        segmentors=(FakeSegmentor("coco", ("car", "car")), FakeSegmentor("ade20k", ("vehicle",) * 2)),
        nouns=FakeNouns(("red car", "road")),
        ranker=seer,
        chooser=FirstChooser(),
    )  # fmt: skip


def name(
    doubles: Stages, masks: dict[int, TreeNode], settings: Settings = SETTINGS
) -> dict[int, Annotation]:
    """Name masks of so many columns, each with its place in the tree."""
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    settings = replace(settings, labels=replace(settings.labels, ranker_crop_scale=1.0))
    regions = Regions(image, [proposal(box(0, 0, width, 10)) for width in masks])
    log = StageLog(keep_silent)
    named = Naming(doubles).name(regions, settings, log, list(masks.values()))
    return dict(zip(masks, named, strict=True))


def test_a_wheel_is_named_in_the_light_of_its_car() -> None:
    seer = Seer({50: "red car", 8: "wheel of a car"})
    named = name(street(seer), {50: ROOT, 8: TreeNode(0, 1)})
    wheel = named[8]
    assert (named[50].class_name, named[50].part_of) == ("red car", None)
    assert (wheel.class_name, wheel.part_of) == ("wheel", "red car")
    assert wheel.node == TreeNode(0, 1)
    # The whole's own names are no choice, and what was asked as "of a car" is told without.
    assert wheel.class_proposals == ("wheel", "steering wheel", "seat")
    assert wheel.evidence.shares[0] == ScoredLabel("wheel", 1.0)
    assert {"wheel", "car"} <= {scored.label for scored in wheel.evidence.ranking}


def test_the_chooser_is_asked_for_each_mask_with_its_whole() -> None:
    doubles = street(Seer({50: "red car", 8: "wheel of a car"}))
    name(doubles, {8: TreeNode(1, 1), 50: ROOT})
    assert isinstance(doubles.chooser, FirstChooser)
    assert doubles.chooser.asked == [
        (50, ("red car", "road", "vehicle")),
        (8, ("wheel of a car", "steering wheel of a car", "seat of a car")),
    ]


def test_roots_are_asked_their_own_candidates_alone() -> None:
    seer = Seer({50: "car"})
    name(street(seer), {50: ROOT})
    assert seer.texts_of(50) == ("car", "vehicle", "red car", "road")


def test_what_fits_its_wholes_name_best_keeps_it_and_is_no_part() -> None:
    seer = Seer({50: "red car", 40: "car"})
    body = name(street(seer), {50: ROOT, 40: TreeNode(0, 1)})[40]
    assert (body.class_name, body.part_of) == ("car", None)


def test_a_hub_in_a_wheel_knows_the_car_too_in_whatever_order_masks_come() -> None:
    seer = Seer({50: "red car", 20: "wheel of a car", 8: "hub of a wheel"})
    named = name(street(seer), {8: TreeNode(1, 2), 20: TreeNode(2, 1), 50: ROOT})
    assert (named[8].class_name, named[8].part_of) == ("hub", "wheel")
    assert {"hub of a wheel", "bumper of a car"} <= set(seer.texts_of(8))
    assert named[20].part_of == "red car"


def test_parts_of_what_is_no_part_have_nothing_to_do_with_what_it_lies_in() -> None:
    seer = Seer({50: "red car", 20: "road", 8: "red car"})
    named = name(street(seer), {50: ROOT, 20: TreeNode(0, 1), 8: TreeNode(1, 2)})
    assert (named[20].class_name, named[20].part_of) == ("road", None)
    assert not [text for text in seer.texts_of(8) if " of a car" in text]


@pytest.mark.parametrize("size", [1, 2, 50])
def test_batches_change_nothing(size: int) -> None:
    places = {50: ROOT, 20: TreeNode(0, 1), 19: TreeNode(0, 1), 8: TreeNode(1, 2)}
    best = {50: "red car", 20: "wheel of a car", 19: "road", 8: "hub of a wheel"}
    expected = name(street(Seer(best)), places)
    batches = BatchSettings(captioner=size, ranker=size, chooser=size)
    assert name(street(Seer(best)), places, replace(SETTINGS, batches=batches)) == expected


def test_a_tree_of_roots_names_as_no_tree() -> None:
    masks = [proposal(box(x, 0, x + 9, 30)) for x in range(0, 60, 10)]
    image = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    regions, log = Regions(image, masks), StageLog(keep_silent)
    plain = Naming(stages([])).name(regions, SETTINGS, log)
    rooted = Naming(stages([])).name(regions, SETTINGS, log, [ROOT] * len(masks))
    assert [replace(one, node=None) for one in rooted] == list(plain)
    assert {one.node for one in rooted} == {ROOT}


def test_no_region_asks_no_model() -> None:
    doubles = stages([])
    regions = Regions(np.zeros((4, 4, 3), np.uint8), [])
    assert Naming(doubles).name(regions, SETTINGS, StageLog(keep_silent), []) == ()
    assert isinstance(doubles.captioner, FakeCaptioner)
    assert doubles.captioner.batches == []


def test_progress_goes_on_from_level_to_level() -> None:
    reports: list[StageReport] = []
    doubles = replace(stages([]), ranker=FakeRanker(), chooser=FakeChooser())
    masks = [proposal(box(0, 0, width, 10)) for width in (50, 30, 20, 10, 5)]
    nodes = [ROOT, *(TreeNode(0, 1) for _ in range(3)), TreeNode(3, 2)]
    log = StageLog(reports.append)
    regions = Regions(np.zeros((HEIGHT, WIDTH, 3), np.uint8), masks)
    Naming(doubles).name(regions, SETTINGS, log, nodes)
    told = [(report.done, report.total) for report in reports if report.stage == "ranker"]
    assert told == [(1, 5), (3, 5), (4, 5), (5, 5)]
    told = [(report.done, report.total) for report in reports if report.stage == "chooser"]
    assert told == sorted(set(told))
    assert told[-1][0] == told[-1][1]
    assert list(log.seconds) == ["segmentors", "captioner", "nouns", "ranker", "chooser"]


def test_labels_of_the_bank_join_the_candidates_and_are_told() -> None:
    dense = FakeDenseRanker()
    settings = replace(SETTINGS, labels=replace(SETTINGS.labels, bank_top_k=2))
    doubles = replace(street(Seer({})), ranker=dense, chooser=None)
    (named,) = name(doubles, {50: ROOT}, settings).values()
    best = sorted(label_bank(), key=lambda label: -len(label))[:2]
    assert [one.label for one in named.evidence.bank] == best
    assert named.class_name == best[0]
    ranked = {one.label for one in named.evidence.ranking}
    assert ranked == {"car", "vehicle", "red car", "road", *best}
    (without,) = name(doubles, {50: ROOT}).values()
    assert without.evidence.bank == ()
    assert {one.label for one in without.evidence.ranking} == {"car", "vehicle", "red car", "road"}


def test_a_dense_chooser_looks_the_bank_through_where_the_ranker_sees_crops() -> None:
    settings = replace(SETTINGS, labels=replace(SETTINGS.labels, bank_top_k=1))
    longest = max(label_bank(), key=len)
    doubles = replace(street(Seer({50: "car"})), chooser=FakeDenseRanker())
    (named,) = name(doubles, {50: ROOT}, settings).values()
    assert [one.label for one in named.evidence.bank] == [longest]
    assert longest in {one.label for one in named.evidence.ranking}


class Odd:
    """Finds what no name should hold."""

    def extract(self, captions: Sequence[str], *, whole: bool = False) -> list[tuple[str, ...]]:
        return [("red \u202ewheel", "\x1b[31mcar", "\u200b", "car") for _ in captions]


def test_names_hold_no_characters_that_are_not_seen() -> None:
    (named,) = name(replace(street(Seer({50: "car"})), nouns=Odd()), {50: ROOT}).values()
    evidence = named.evidence
    assert evidence.noun_phrases == ("red wheel", "[31mcar", "car")
    assert {"red wheel", "[31mcar"} <= {one.label for one in evidence.ranking}


class Rambling:
    """A captioner that says more than a line."""

    def caption(self, crops: Sequence[RGBImage]) -> list[str]:
        return ["dog\ntail\n\x1b[2J" + "x" * 1000 for _ in crops]


def test_a_record_keeps_a_short_line_of_what_was_said_and_nouns_come_from_all_of_it() -> None:
    doubles = replace(stages([]), captioner=Rambling(), nouns=NounLists())
    evidence = name(doubles, {50: ROOT})[50].evidence
    assert evidence.caption.startswith("dog tail [2Jxxx")
    assert len(evidence.caption) == 500
    assert evidence.noun_phrases == ("dog", "tail")
