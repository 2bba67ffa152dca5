"""A bundle's settings: what its manifest says over the defaults, and nothing that isn't one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ssa.config import MaskSettings, PhraseSettings, Settings
from ssa.errors import WeightsError
from ssa.weights import load_manifest
from ssa.weights.settings import bundle_settings


def test_nothing_said_is_the_defaults() -> None:
    assert bundle_settings({}) == Settings()


def test_what_is_said_is_changed_and_nothing_else() -> None:
    found = bundle_settings(
        {"masks": {"sam": {"points_per_side": 16}}, "labels": {"unknown_below": 0}}
    )
    assert found.masks["sam"] == MaskSettings(points_per_side=16)
    assert found.masks["semantic-sam"] == Settings().masks["semantic-sam"]
    assert found.labels.unknown_below == 0
    assert found.batches == Settings().batches


def test_a_bundle_says_what_its_phrases_weigh_and_not_when_they_are_asked() -> None:
    found = bundle_settings({"phrases": {"least_lead": 0.1, "most_phrases": 8}})
    assert found.phrases == PhraseSettings(least_lead=0.1, most_phrases=8)
    with pytest.raises(ValueError, match=r"phrases know least_score, .*; got 'use'"):
        bundle_settings({"phrases": {"use": "verify"}})


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"colours": {}}, "settings know masks, labels"),
        ({"masks": {"sam2": {}}}, "masks are of sam, semantic-sam; got 'sam2'"),
        # It looks for names, without a grid.
        ({"masks": {"phrases": {}}}, "masks are of sam, semantic-sam; got 'phrases'"),
        ({"masks": {"sam": {"points": 3}}}, "got 'points'"),
        ({"masks": {"sam": {"points_per_side": 16.5}}}, "points_per_side is like 32; got 16.5"),
        ({"masks": {"sam": {"points_per_side": True}}}, "points_per_side is like 32; got True"),
        ({"labels": {"unknown_below": "half"}}, "unknown_below is like 0.5; got 'half'"),
    ],
)
def test_what_no_setting_is_called_or_can_be_is_refused(raw: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=r"^.+$") as caught:
        bundle_settings(raw)
    assert said in str(caught.value)


def test_the_shipped_bundles_are_meant_for_what_was_published_and_measured() -> None:
    bundles = load_manifest().bundles
    base, light, tiny = (bundles[name].settings for name in ("base", "light", "tiny"))
    published = MaskSettings(
        pred_iou_thresh=0.86, stability_score_thresh=0.92, min_mask_region_area=100
    )
    assert base.masks["sam"] == published
    assert light.searching("sam", points_per_side=32) == base
    modern, modern_light = (bundles[name].settings for name in ("modern", "modern-light"))
    # SAM 2's authors' own.
    thresholds = {"pred_iou_thresh": 0.8, "stability_score_thresh": 0.95}
    assert modern.masks["sam"] == replace(published, **thresholds)
    assert modern_light.searching("sam", points_per_side=32) == modern
    assert (tiny.labels.unknown_below, tiny.masks["semantic-sam"].points_per_side) == (0.3, 20)


def test_a_name_that_no_bundle_has_is_told_with_those_there_are() -> None:
    with pytest.raises(
        WeightsError,
        match="no bundle is called 'huge': use base, light, modern, modern-light, tiny",
    ):
        load_manifest().bundle("huge")
