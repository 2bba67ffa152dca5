"""Phrases in the engine: regions found by names, names verified, pictures completed, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fakes import FakePhrases, proposal, stages

from ssa.config import PhraseSettings, SelectionSettings, Settings
from ssa.engine import Engine
from ssa.errors import InputError
from ssa.labelling.phrasing import Phrases, check_phrases
from ssa.labelling.vocabulary import parse_vocabulary
from ssa.progress import StageLog, StageReport, keep_silent
from ssa.stages import Stages
from ssa.types import AnnotatedImage, BoolMask, Picture, RGBImage, TreeNode

CARS = parse_vocabulary("car: automobile, van\ntree")
BY_PHRASES = Settings(mask_source="phrases", vocabulary=CARS)
VERIFY = Settings(phrases=PhraseSettings("verify"))
COMPLETE = Settings(phrases=PhraseSettings("complete"))
BOTH = Settings(phrases=PhraseSettings("both"))


@pytest.fixture
def image() -> RGBImage:
    return np.random.default_rng(0).integers(0, 256, (60, 80, 3), dtype=np.uint8)


def box(top: int, left: int, bottom: int, right: int) -> BoolMask:
    mask = np.zeros((60, 80), np.bool_)
    mask[top:bottom, left:right] = True
    return mask


LEFT, RIGHT, BELOW = box(0, 0, 40, 40), box(0, 40, 40, 80), box(40, 0, 60, 80)
# What the doubles say of any region: the segmentors' votes, two nouns; the longest three, the last wins.
NAMED, PROPOSED = "grass", ("red car", "field", "grass")


def with_phrases(
    masks: list[BoolMask], **instances: list[tuple[BoolMask, float]]
) -> tuple[Stages, FakePhrases]:
    finder = FakePhrases({label.replace("_", " "): own for label, own in instances.items()})
    return replace(stages(masks), phrases=finder), finder


def names(result: AnnotatedImage) -> list[str | None]:
    return [one.class_name for one in result.annotations]


# --- off ---------------------------------------------------------------------------------------------


def test_nobody_is_asked_unless_told_and_nothing_changes(image: RGBImage) -> None:
    doubles, finder = with_phrases([LEFT, RIGHT], grass=[(BELOW, 0.9)])
    assert Engine(doubles).annotate(image, Settings()) == Engine(stages([LEFT, RIGHT])).annotate(
        image, Settings()
    )
    assert finder.asked == []


# --- verify and complete -----------------------------------------------------------------------------


def test_names_are_verified_by_one_look_at_each_picture(image: RGBImage) -> None:
    plain = Engine(stages([LEFT, RIGHT])).annotate(image, Settings())
    (left, right) = plain.annotations
    other = right.class_proposals[0]
    assert other != right.class_name
    instances: dict[str, Any] = {other.replace(" ", "_"): [(RIGHT, 0.8)]}
    doubles, finder = with_phrases([LEFT, RIGHT], **instances)
    reports: list[StageReport] = []
    result = Engine(doubles).annotate(image, VERIFY, reports.append)
    assert names(result) == [left.class_name, other]
    assert len(finder.asked) == 1
    assert set(finder.asked[0]) == {*left.class_proposals, *right.class_proposals}
    assert len(set(finder.asked[0])) == len(finder.asked[0])
    said = result.annotations[1].evidence
    assert said.moved_to == other
    assert said.agreement[0].score == pytest.approx(0.8)
    assert "phrases" in result.stage_seconds
    assert [one.total for one in reports if one.stage == "phrases"] == [len(finder.asked[0])]


def test_a_picture_is_completed_with_what_has_a_name_of_its_own(image: RGBImage) -> None:
    plain = Engine(stages([LEFT])).annotate(image, Settings())
    (name,) = names(plain)
    doubles, finder = with_phrases([LEFT], **{str(name): [(LEFT, 0.9), (BELOW, 0.7), (RIGHT, 0.4)]})
    result = Engine(doubles).annotate(image, COMPLETE)
    assert result.annotations[:1] == plain.annotations
    (added,) = result.annotations[1:]
    assert (added.class_name, added.class_proposals, added.source) == (name, (name,), "phrase")
    assert added.proposal.rle == proposal(BELOW).rle
    assert added.node is None
    assert [(one.label, one.score) for one in added.evidence.agreement] == [(name, 0.7)]
    assert finder.asked == [(name,)]
    assert all(one.source is None for one in plain.annotations)


def test_where_there_is_a_tree_an_added_region_is_a_root(image: RGBImage) -> None:
    (name,) = names(Engine(stages([LEFT])).annotate(image, Settings()))
    doubles, _ = with_phrases([LEFT], **{str(name): [(BELOW, 0.7)]})
    result = Engine(doubles).annotate(image, replace(COMPLETE, parts=True))
    assert [one.node for one in result.annotations] == [TreeNode(None, 0)] * 2


def test_both_complete_the_picture_by_the_names_that_stand(image: RGBImage) -> None:
    (before,) = Engine(stages([LEFT])).annotate(image, Settings()).annotations
    other = before.class_proposals[0]
    instances: dict[str, Any] = {
        other.replace(" ", "_"): [(LEFT, 0.9), (BELOW, 0.8)],
        str(before.class_name): [(RIGHT, 0.9)],
    }
    doubles, finder = with_phrases([LEFT], **instances)
    result = Engine(doubles).annotate(image, BOTH)
    # The name that gave way is none of the picture's any more.
    assert names(result) == [other, other]
    assert [one.source for one in result.annotations] == [None, "phrase"]
    assert len(finder.asked) == 1


def test_regions_that_came_along_stay_and_others_are_added(image: RGBImage) -> None:
    given = [proposal(LEFT)]
    (name,) = names(Engine(stages([])).label(image, given, Settings()))
    doubles, _ = with_phrases([], **{str(name): [(BELOW, 0.7)]})
    settings = replace(COMPLETE, selection=SelectionSettings(overlaps=False))
    result = Engine(replace(doubles, proposers={})).label(image, given, settings)
    assert [one.source for one in result.annotations] == [None, "phrase"]
    assert result.annotations[0].proposal == given[0]


def test_added_regions_are_held_apart_too(image: RGBImage) -> None:
    (name,) = names(Engine(stages([LEFT])).annotate(image, Settings()))
    doubles, _ = with_phrases([LEFT], **{str(name): [(box(20, 20, 60, 80), 0.7)]})
    settings = replace(COMPLETE, selection=SelectionSettings(overlaps=False))
    first, second = Engine(doubles).annotate(image, settings).annotations
    assert (first.proposal.area_px, second.proposal.area_px) == (1600, 2400 - 400)


@pytest.mark.parametrize(
    ("most", "scores"), [(1, []), (2, [0.9]), (3, [0.9, 0.7]), (9, [0.9, 0.7])]
)
def test_a_picture_is_completed_as_far_as_masks_are_wanted(
    image: RGBImage, most: int, scores: list[float]
) -> None:
    (name,) = names(Engine(stages([LEFT])).annotate(image, Settings()))
    doubles, _ = with_phrases([LEFT], **{str(name): [(BELOW, 0.7), (RIGHT, 0.9)]})
    settings = replace(COMPLETE, selection=SelectionSettings(max_masks=most))
    _, *added = Engine(doubles).annotate(image, settings).annotations
    assert [one.proposal.predicted_iou for one in added] == scores
    # Masks that came along are as many as they are.
    given = [proposal(LEFT), proposal(BELOW), proposal(RIGHT)]
    assert len(Engine(doubles).label(image, given, settings).annotations) == 3


def test_a_picture_without_regions_asks_nothing(image: RGBImage) -> None:
    doubles, finder = with_phrases([], grass=[(LEFT, 0.9)])
    assert Engine(doubles).annotate(image, BOTH).annotations == ()
    assert finder.asked == []


# --- propose -----------------------------------------------------------------------------------------


def test_a_vocabulary_finds_its_own_regions(image: RGBImage) -> None:
    doubles, finder = with_phrases(
        [BELOW],
        car=[(LEFT, 0.8), (BELOW, 0.3)],
        automobile=[(box(0, 0, 40, 36), 0.9), (RIGHT, 0.6)],
        tree=[(LEFT, 0.7)],
        dog=[(BELOW, 1.0)],
    )
    result = Engine(doubles).annotate(image, BY_PHRASES)
    found = [(one.class_name, one.proposal.predicted_iou) for one in result.annotations]
    # One of the synonyms' two, none under the threshold, another class's as it is.
    assert found == [("car", 0.9), ("car", 0.6), ("tree", 0.7)]
    assert finder.asked == [("car", "automobile", "van", "tree")]
    assert list(result.stage_seconds) == ["phrases"]  # nobody else was asked
    for one in result.annotations:
        assert one.class_proposals == (one.class_name,)
        assert one.source is None
        (said,) = one.evidence.agreement
        assert (said.label, said.score) == (one.class_name, one.proposal.predicted_iou)


def test_which_of_them_stay_is_chosen_as_among_any_masks(image: RGBImage) -> None:
    doubles, _ = with_phrases([], car=[(LEFT, 0.8), (RIGHT, 0.6)], tree=[(LEFT, 0.7)])
    for selection, expected in (
        (SelectionSettings(mask_nms_thresh=0.9), [("car", 0.8), ("car", 0.6)]),
        (SelectionSettings(max_masks=2), [("car", 0.8), ("tree", 0.7)]),
    ):
        result = Engine(doubles).annotate(image, replace(BY_PHRASES, selection=selection))
        found = [(one.class_name, one.proposal.predicted_iou) for one in result.annotations]
        assert found == expected


def test_regions_found_by_name_and_given_ones_go_together(image: RGBImage) -> None:
    doubles, _ = with_phrases([], car=[(LEFT, 0.8), (box(5, 5, 15, 15), 0.7)])
    given = Picture(image, (proposal(RIGHT), proposal(box(5, 45, 15, 55))))
    pictures = [Picture(image), given, Picture(image)]
    for parts in (False, True):
        settings = replace(BY_PHRASES, parts=parts)
        together = Engine(doubles).annotate_all(pictures, settings)
        alone = [Engine(doubles).annotate_all([one], settings)[0] for one in pictures]
        assert together == alone
        assert names(together[0]) == names(together[2]) == ["car", "car"]
        nodes = [TreeNode(None, 0), TreeNode(0, 1)] if parts else [None, None]
        assert [[one.node for one in each.annotations] for each in together] == [nodes] * 3
        assert together[1].annotations[0].evidence.ranking


# --- refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (VERIFY, "phrases must be none without weights that find them; got 'verify'; a spell"),
        (BOTH, "got 'both'"),
        (BY_PHRASES, r"mask_source must be one .* \(sam, semantic-sam\); got 'phrases'; a spell"),
    ],
)
def test_phrases_without_weights_are_refused_with_what_brings_them(
    image: RGBImage, settings: Settings, text: str
) -> None:
    without = replace(stages([LEFT]), remedies={"phrases": "a spell"})
    with pytest.raises(InputError, match=text):
        Engine(without).annotate(image, settings)


@pytest.mark.parametrize("mode", ["closed-set", "clusters", "none"])
def test_phrases_are_of_names_of_any_kind(image: RGBImage, mode: Any) -> None:
    doubles, finder = with_phrases([LEFT])
    for settings in (VERIFY, BY_PHRASES):
        with pytest.raises(InputError, match="labels 'open-vocabulary'"):
            Engine(doubles).annotate(image, replace(settings, label_mode=mode))
    with pytest.raises(InputError, match="labels 'open-vocabulary'"):
        Engine(doubles).label(image, [proposal(LEFT)], replace(VERIFY, label_mode=mode))
    assert finder.asked == []


def test_a_source_of_phrases_needs_a_vocabulary(image: RGBImage) -> None:
    doubles, _ = with_phrases([LEFT])
    with pytest.raises(InputError, match=r"the classes of a vocabulary, .* got no vocabulary"):
        Engine(doubles).annotate(image, Settings(mask_source="phrases"))
    # Masks that came along need no source.
    check_phrases(Settings(mask_source="phrases"), finds_masks=False)
    assert Engine(doubles).label(image, [proposal(LEFT)], Settings(mask_source="phrases"))


def test_phrases_that_were_not_checked_are_told(image: RGBImage) -> None:
    with pytest.raises(ValueError, match="expected settings that were checked"):
        Phrases(None).propose(image, BY_PHRASES, StageLog(keep_silent))
