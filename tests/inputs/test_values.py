"""What a caller gave, held against the table: values in bounds pass, all others are one line."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssa.errors import InputError
from ssa.inputs import CLUSTER_INPUTS, INPUTS, MASK_INPUTS, OPTIONS, checked_inputs

DEFAULTS: dict[str, Any] = {
    "image": Path("picture.png"),
    "output_json": True,
    "mask_source": "sam",
    "granularity": None,
    "labels": "open-vocabulary",
    "vocabulary": None,
    "unknown_below": None,
    "phrases": "none",
    "parts": None,
    "segmentor": None,
    "name_clusters": False,
    **dict.fromkeys(CLUSTER_INPUTS),
    **dict.fromkeys(MASK_INPUTS),
    "mask_nms_thresh": None,
    "max_masks": None,
    "overlaps": True,
    "top_k": 3,
    "bank_top_k": None,
    "rules": "current",
    "detail": False,
    "legend": False,
    "doubtful_below": None,
}
FINE = [
    ("points_per_side", 1, 1),
    ("points_per_side", 128, 128),
    ("points_per_side", 16.0, 16),
    ("pred_iou_thresh", 0, 0.0),
    ("pred_iou_thresh", 0.5, 0.5),
    ("stability_score_thresh", 1, 1.0),
    ("crop_n_layers", 3, 3),
    ("min_mask_region_area", 0, 0),
    ("top_k", 10, 10),
    ("detail", True, True),
    ("mask_source", "semantic-sam", "semantic-sam"),
    ("mask_source", "phrases", "phrases"),
    ("granularity", "1,3,5", "1,3,5"),
    ("labels", "none", "none"),
    ("vocabulary", "car: van\ndog", "car: van\ndog"),
    ("unknown_below", 0, 0.0),
    ("phrases", "verify", "verify"),
    ("parts", False, False),
    ("segmentor", "ade20k", "ade20k"),
    ("cluster_eps", 2, 2.0),
    ("cluster_min_samples", 1, 1),
    ("doubtful_below", 1, 1.0),
    ("mask_nms_thresh", 0, 0.0),
    ("max_masks", 1, 1),
    ("overlaps", False, False),
    ("rules", "published", "published"),
    ("bank_top_k", 10, 10),
]
REFUSED = [
    ("image", "/etc/hostname", "image must be a picture, sent as a data URI or an http(s) URL"),
    ("image", None, "got nothing"),
    ("image", [Path("picture.png")], "got a value of type list"),
    ("output_json", "yes", "output_json must be true or false; got a value of type str"),
    ("output_json", None, "output_json must be true or false"),
    ("detail", 1, "detail must be true or false; got 1"),
    ("points_per_side", 0, "points_per_side must be a whole number from 1 to 128; got 0"),
    ("points_per_side", 129, "from 1 to 128; got 129"),
    ("points_per_side", 16.5, "must be a whole number"),
    ("points_per_side", True, "must be a whole number"),
    ("points_per_side", "16", "got a value of type str"),
    ("points_per_side", math.nan, "got nan"),
    ("pred_iou_thresh", math.nan, "pred_iou_thresh must be a number from 0 to 1; got nan"),
    ("pred_iou_thresh", math.inf, "got inf"),
    ("pred_iou_thresh", -0.1, "got -0.1"),
    ("stability_score_thresh", 1.01, "got 1.01"),
    ("stability_score_thresh", False, "must be a number"),
    ("crop_n_layers", 4, "from 0 to 3"),
    ("min_mask_region_area", -1, "got -1"),
    ("min_mask_region_area", 10**400, "got a value of type int"),
    ("top_k", None, "top_k must be a whole number from 1 to 10; got nothing"),
    ("top_k", 11, "got 11"),
    ("mask_source", "SAM", "mask_source must be one of sam, semantic-sam, phrases; got 'SAM'"),
    ("mask_source", None, "got nothing"),
    (
        "labels",
        "/etc/hostname",
        "labels must be one of open-vocabulary, closed-set, clusters, none",
    ),
    ("labels", ["none"], "got a value of type list"),
    (
        "vocabulary",
        "x" * 50_001,
        "vocabulary must be a text of at most 50000 characters; got a value",
    ),
    ("vocabulary", ["car"], "got a value of type list"),
    ("unknown_below", 1.5, "unknown_below must be a number from 0 to 1; got 1.5"),
    ("granularity", 3, "granularity must be a text of at most 32 characters; got 3"),
    ("granularity", "1," * 17, "at most 32 characters"),
    ("segmentor", "x" * 101, "at most 100 characters; got a value of type str"),
    ("parts", "yes", "parts must be true or false"),
    ("cluster_eps", 0, "cluster_eps must be a number from 0.0001 to 2; got 0"),
    ("cluster_min_samples", 0, "from 1 to 1000; got 0"),
]


def test_defaults_pass_as_they_are() -> None:
    assert checked_inputs(DEFAULTS) == DEFAULTS


@pytest.mark.parametrize(("name", "value", "expected"), FINE)
def test_values_within_bounds_pass(name: str, value: Any, expected: Any) -> None:
    checked = checked_inputs({**DEFAULTS, name: value})[name]
    assert checked == expected
    assert type(checked) is type(expected)


@pytest.mark.parametrize(("name", "value", "text"), REFUSED)
def test_other_values_are_refused_in_one_line(name: str, value: Any, text: str) -> None:
    with pytest.raises(InputError) as caught:
        checked_inputs({**DEFAULTS, name: value})
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "/etc" not in str(caught.value)


@given(
    st.sampled_from(sorted(DEFAULTS)),
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()),
)
def test_any_json_value_passes_within_bounds_or_is_an_input_error(name: str, value: Any) -> None:
    try:
        checked = checked_inputs({**DEFAULTS, name: value})[name]
    except InputError:
        return
    assert checked == value
    assert name != "image"


def test_what_is_left_out_has_its_default_and_only_the_picture_must_be_given() -> None:
    assert checked_inputs({"image": DEFAULTS["image"]}) == DEFAULTS
    with pytest.raises(InputError, match=r"image must be a picture.*got nothing"):
        checked_inputs({})


def test_a_door_without_a_picture_or_files_has_all_other_inputs() -> None:
    assert set(INPUTS) - set(OPTIONS) == {"image", "output_json"}
    assert list(checked_inputs({"top_k": 2}, OPTIONS)) == list(OPTIONS)


def test_a_name_that_is_none_is_a_type_error_that_lists_those_there_are() -> None:
    with pytest.raises(TypeError) as caught:
        checked_inputs({"topk": 3, "/etc/passwd": 1}, OPTIONS)
    said = str(caught.value)
    assert "got 'topk', a value of type str" in said
    assert all(name in said for name in OPTIONS)
    assert "\n" not in said
