"""What a caller asked for, as settings: granularities, the model they are meant for, what goes together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssa.config import (
    PUBLISHED_RULES,
    ClusterSettings,
    LabelSettings,
    MaskSettings,
    NameRules,
    PhraseSettings,
    Settings,
)
from ssa.errors import InputError
from ssa.inputs import CLUSTER_INPUTS, MASK_INPUTS, parse_granularity, settings_for
from ssa.labelling.vocabulary import parse_vocabulary

LEFT_OUT: dict[str, Any] = {
    **dict.fromkeys((*MASK_INPUTS, *CLUSTER_INPUTS, "granularity", "segmentor", "parts")),
    **dict.fromkeys(("vocabulary", "unknown_below")),
    "mask_source": "sam",
    "labels": "open-vocabulary",
    "phrases": "none",
    "name_clusters": False,
    "top_k": 3,
}
CAR = {"vocabulary": "car: van"}
BY_PHRASES = {"mask_source": "phrases", **CAR}
BUNDLE = Settings(
    masks={
        **Settings().masks,
        "sam": MaskSettings(points_per_side=16, pred_iou_thresh=0.6),
    },
    clusters=ClusterSettings(eps=0.2, min_samples=3),
    segmentor="city",
)


def test_labels_of_the_bank_are_for_names_of_any_kind() -> None:
    assert settings_for(BUNDLE, {**LEFT_OUT, "bank_top_k": 3}).labels.bank_top_k == 3
    assert settings_for(BUNDLE, LEFT_OUT).labels.bank_top_k == BUNDLE.labels.bank_top_k
    groups = {"labels": "clusters", "name_clusters": True}
    assert settings_for(BUNDLE, {**LEFT_OUT, **groups, "bank_top_k": 3}).names_freely
    for other, told in (
        ({"vocabulary": "dog"}, "a vocabulary"),
        ({"labels": "closed-set"}, "labels 'closed-set'"),
        ({"labels": "clusters"}, "labels 'clusters'"),
    ):
        with pytest.raises(
            InputError, match=f"bank_top_k belongs to .*; got it with {told}; leave it out"
        ):
            settings_for(BUNDLE, {**LEFT_OUT, **other, "bank_top_k": 3})
        assert not settings_for(BUNDLE, {**LEFT_OUT, **other, "bank_top_k": 0}).names_freely


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"labels": "none"}, "rules 'published' belong to .* got them with labels 'none'"),
        ({"bank_top_k": 3}, "rules 'published' know no label bank"),
    ],
)
def test_published_rules_are_of_names_as_they_were(other: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        settings_for(BUNDLE, {**LEFT_OUT, "rules": "published", **other})


def test_rules_are_ours_unless_the_published_ones_are_asked_for() -> None:
    assert settings_for(BUNDLE, LEFT_OUT).labels.rules == NameRules()
    published = settings_for(BUNDLE, {**LEFT_OUT, "rules": "published"})
    assert published.labels.rules == PUBLISHED_RULES


def test_what_is_left_out_stays_the_bundles() -> None:
    assert settings_for(BUNDLE, LEFT_OUT) == BUNDLE


def test_inputs_that_are_absent_are_left_out() -> None:
    assert settings_for(BUNDLE, {}) == BUNDLE
    changed = settings_for(BUNDLE, {"vocabulary": "car: van"})
    assert changed == replace(BUNDLE, vocabulary=parse_vocabulary("car: van"))


def test_given_settings_replace_the_bundles_and_the_rest_stay() -> None:
    changed = settings_for(BUNDLE, {**LEFT_OUT, "pred_iou_thresh": 0.0, "top_k": 5})
    assert changed.masks["sam"] == MaskSettings(points_per_side=16, pred_iou_thresh=0.0)
    assert changed.labels.top_k == 5
    assert changed.masks["semantic-sam"] == BUNDLE.masks["semantic-sam"]
    assert changed.batches == BUNDLE.batches


def test_mask_inputs_are_meant_for_the_model_that_was_chosen() -> None:
    semantic = {"mask_source": "semantic-sam", "points_per_side": 5, "granularity": "5, 1,3,1"}
    changed = settings_for(BUNDLE, {**LEFT_OUT, **semantic})
    assert changed.masks["sam"] == BUNDLE.masks["sam"]
    assert changed.masks["semantic-sam"].points_per_side == 5
    assert changed.masks["semantic-sam"].granularities == (1, 3, 5)
    assert changed.mask_source == "semantic-sam"


def test_phrases_are_asked_as_told_and_by_the_bundles_rules() -> None:
    own = replace(BUNDLE, phrases=PhraseSettings(least_score=0.3))
    changed = settings_for(own, {**LEFT_OUT, "phrases": "verify"})
    assert changed.phrases == PhraseSettings("verify", least_score=0.3)
    changed = settings_for(BUNDLE, {**LEFT_OUT, **BY_PHRASES})
    assert (changed.mask_source, changed.masks) == ("phrases", BUNDLE.masks)


def test_the_way_to_label_and_what_belongs_to_it() -> None:
    clusters = {"labels": "clusters", "name_clusters": True, "cluster_eps": 0.5}
    changed = settings_for(BUNDLE, {**LEFT_OUT, **clusters, "cluster_min_samples": 9})
    assert (changed.label_mode, changed.name_clusters) == ("clusters", True)
    assert (changed.clusters.eps, changed.clusters.min_samples) == (0.5, 9)
    closed = {"labels": "closed-set", "segmentor": "coco", "parts": True}
    changed = settings_for(BUNDLE, {**LEFT_OUT, **closed})
    assert (changed.segmentor, changed.parts) == ("coco", True)


def test_a_vocabulary_is_read_and_its_threshold_is_the_bundles_unless_given() -> None:
    own = replace(BUNDLE, labels=LabelSettings(unknown_below=0.25))
    changed = settings_for(own, {**LEFT_OUT, "vocabulary": "car: van"})
    assert changed.vocabulary == parse_vocabulary("car: van")
    assert changed.labels.unknown_below == 0.25
    given = {"vocabulary": "car", "unknown_below": 0.0, "labels": "clusters", "name_clusters": True}
    changed = settings_for(own, {**LEFT_OUT, **given})
    assert changed.labels.unknown_below == 0
    assert changed.vocabulary == parse_vocabulary("car")


@pytest.mark.parametrize(
    ("text", "levels"),
    [("all", (1, 2, 3, 4, 5, 6)), (" ALL ", (1, 2, 3, 4, 5, 6)), ("6", (6,)), ("3,1", (1, 3))],
)
def test_granularities_are_read(text: str, levels: tuple[int, ...]) -> None:
    assert parse_granularity(text) == levels


@pytest.mark.parametrize("text", ["7", "1,7", "0", "", "1,", "1;3", "fine", "1.0", "²"])
def test_other_granularities_are_refused(text: str) -> None:
    expected = "granularity must be 'all' or levels 1 to 6, separated by commas; got '"
    with pytest.raises(InputError, match=expected):
        parse_granularity(text)


@given(st.text(max_size=32))
def test_any_text_is_some_levels_or_an_input_error(text: str) -> None:
    try:
        levels = parse_granularity(text)
    except InputError:
        return
    assert levels == tuple(sorted(set(levels)))
    assert set(levels) <= {1, 2, 3, 4, 5, 6}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"granularity": "all"}, "granularity belongs to mask_source 'semantic-sam'; got it with"),
        ({"name_clusters": True}, "name_clusters belongs to labels 'clusters'"),
        (
            {"cluster_eps": 0.1, "labels": "none"},
            "cluster_eps belongs to labels 'clusters'; got it",
        ),
        ({"cluster_min_samples": 2}, "cluster_min_samples belongs to labels 'clusters'"),
        (
            {"segmentor": "coco"},
            "segmentor belongs to labels 'closed-set'; got it with labels 'open",
        ),
        (
            {"vocabulary": "car", "labels": "closed-set"},
            "vocabulary belongs to labels 'open-vocabulary', or .*; got it with labels 'closed-set'",
        ),
        ({"vocabulary": "car", "labels": "clusters"}, "or 'clusters' with name_clusters; got it"),
        ({"unknown_below": 0.0}, "unknown_below belongs to a vocabulary; got it without"),
        ({"vocabulary": ""}, "vocabulary: expected 1 to 2000 labels"),
        ({"phrases": "verify", "labels": "none"}, "phrases belongs to labels 'open-vocabulary'"),
        (
            {"mask_source": "phrases"},
            "the classes of a vocabulary, .*; got no vocabulary; give that",
        ),
        (
            {"mask_source": "phrases", "labels": "clusters", "name_clusters": True, **CAR},
            "with labels 'open-vocabulary'; got labels 'clusters'",
        ),
        ({**BY_PHRASES, "phrases": "both"}, "found without them; got 'both' with mask_source 'phr"),
        ({**BY_PHRASES, "points_per_side": 3}, "points_per_side says nothing to mask_source 'phr"),
        (
            {**BY_PHRASES, "unknown_below": 0.0},
            "unknown_below says nothing to mask_source 'phrases'",
        ),
    ],
)
def test_what_would_have_no_effect_is_refused(given: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError, match=text):
        settings_for(BUNDLE, {**LEFT_OUT, **given})
