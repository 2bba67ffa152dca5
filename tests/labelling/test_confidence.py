"""How likely a name is right: what is measured of it, the arithmetic, and the file."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssa.errors import InputError
from ssa.labelling.confidence import (
    FEATURES,
    Confidence,
    agree,
    feature_matrix,
    features,
    loads,
    read_confidence,
    stages_of,
)
from ssa.types import Annotation, Evidence, ScoredLabel, TreeNode, Vote
from tests.score.made_up import named

STAGES = "votes, clip, clipseg"


def fitted(**weights: float) -> Confidence:
    """One that weighs these features, called with "_" for " ", each less 0.5 and by 2."""
    names = tuple(name.replace("_", " ") for name in weights)
    count = len(names)
    return Confidence(
        STAGES, names, (0.5,) * count, (2.0,) * count, tuple(weights.values()), 1.0, 100
    )


def test_what_is_measured_of_a_name() -> None:
    found = features(named(clip=0.8, clipseg=0.7, votes=("cat", "dog"), nouns=("sofa", "cat")))
    assert list(found) == list(FEATURES)
    assert found["votes for it"] == pytest.approx(0.25)  # a share of 0.5 of one segmentor of two
    assert found["votes against it"] == pytest.approx(0.25)
    assert found["clip"] == pytest.approx(math.log(0.8 / 0.2))
    assert found["clip's lead"] == pytest.approx(0.6)
    assert found["clipseg"] == pytest.approx(0.7)
    assert found["clipseg's margin"] == pytest.approx(0.4)
    assert found["candidates"] == pytest.approx(math.log(2))
    assert found["no other proposal"] == 0
    assert (found["caption has it"], found["caption begins with it"]) == (1, 0)
    assert (found["predicted iou"], found["stability"]) == (0.9, 0.95)
    assert found["area"] == pytest.approx(math.log10(6 / 24))
    assert (found["is a part"], found["named as a part"]) == (0, 0)


def test_a_part_is_told_from_a_whole() -> None:
    part = replace(named(), node=TreeNode(0, 1), part_of="house")
    found = features(part)
    assert (found["is a part"], found["named as a part"]) == (1, 1)


def test_phrases_speak_too_and_may_have_moved_the_name() -> None:
    before = named(clip=0.75, clipseg=0.7)
    assert features(before)["phrases"] == 0
    agreement = (ScoredLabel("dog", 0.8), ScoredLabel("cat", 0.1))
    said = replace(before, evidence=replace(before.evidence, agreement=agreement))
    assert stages_of(said) == f"{STAGES}, phrases"
    assert features(said) == {**features(before), "phrases": 0.1}
    moved = replace(said, class_name="dog", evidence=replace(said.evidence, moved_to="dog"))
    assert features(moved)["phrases"] == 0.8
    assert features(moved)["clip"] == pytest.approx(math.log(0.25 / 0.75))


def test_what_a_region_is_called_since_changes_nothing_of_what_speaks_for_its_name() -> None:
    assert features(replace(named(), class_name="felis")) == features(named())


@pytest.mark.parametrize(
    ("label", "name", "same"),
    [
        ("cat", "cat", True),
        ("black cat", "cat", True),
        ("cat", "black cat", True),
        ("bobcat", "cat", False),
        ("cat", "cat food", False),
        ("dog", "cat", False),
    ],
)
def test_labels_agree_where_one_says_more_of_the_same_thing(
    label: str, name: str, same: bool
) -> None:
    assert agree(label, name) is same


def test_the_probability_is_the_logistic_function_of_the_weighted_sum() -> None:
    # 1 + 3 (0.7 - 0.5) / 2 - 1 (0.9 - 0.5) / 2 = 1.1
    found = fitted(clipseg=3.0, predicted_iou=-1.0).of(named(clipseg=0.7))
    assert found == pytest.approx(1 / (1 + math.exp(-1.1)), abs=5e-5)


@given(st.floats(-1e6, 1e6))
def test_it_is_a_probability_whatever_the_weights(weight: float) -> None:
    confidence = fitted(stability=weight).of(named())
    assert confidence is not None
    assert 0 <= confidence <= 1


def without(annotation: Annotation, **stages: object) -> Annotation:
    return replace(annotation, evidence=replace(annotation.evidence, **stages))  # type: ignore[arg-type]


def test_of_regions_that_other_stages_spoke_of_it_says_nothing() -> None:
    known = fitted(clipseg=1.0)
    assert known.of(named()) is not None
    for other in (
        replace(named(), class_name=None),
        replace(named(), evidence=Evidence()),
        without(named(), votes=()),
        without(named(), shares=()),
        without(named(), cluster_id=3),
    ):
        assert known.of(other) is None


def test_stages_are_told_by_what_they_said() -> None:
    assert stages_of(named()) == STAGES
    voted = Annotation(
        named().proposal, "cat", ("cat",), Evidence(votes=(Vote("coco", "cat", 1.0),))
    )
    assert stages_of(voted) == "votes"
    assert features(voted)["clip"] == 0
    assert stages_of(replace(named(), class_name=None)) == ""


def test_one_candidate_alone_has_no_other_to_lead() -> None:
    alone = without(named(), ranking=(ScoredLabel("cat", 1.0),), shares=(ScoredLabel("cat", 1.0),))
    found = features(alone)
    assert (found["clip's lead"], found["no other proposal"], found["candidates"]) == (1, 1, 0)


def test_of_many_names_there_is_a_row_each() -> None:
    assert feature_matrix([named(), named()]).shape == (2, len(FEATURES))
    assert feature_matrix([]).shape == (0, len(FEATURES))


def test_its_file_comes_back(tmp_path: Path) -> None:
    known = fitted(clipseg=1.5, area=-0.25)
    (tmp_path / "confidence.json").write_bytes(known.dumps())
    assert read_confidence(tmp_path / "confidence.json") == known
    assert read_confidence(tmp_path / "none.json") is None


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"v": 2}, "v"),
        ({"names": ["clipseg", "luck"]}, "names"),
        ({"weights": [1.0]}, "weights"),
        ({"scales": [0, 1]}, "scales"),
        ({"centres": [0, None]}, "centres"),
        ({"intercept": "high"}, "intercept"),
        ({"stages": None}, "stages"),
    ],
)
def test_another_file_is_told(changes: dict[str, object], wrong: str) -> None:
    fields = json.loads(fitted(clipseg=1.0, area=1.0).dumps())
    with pytest.raises(InputError, match=f"with a sound '{wrong}'"):
        loads(json.dumps({**fields, **changes}).encode())


@pytest.mark.parametrize("data", [b"", b"\xff", b"{"])
def test_what_is_no_json_is_told(data: bytes) -> None:
    with pytest.raises(InputError, match="as `ssa calibrate` writes it"):
        loads(data)
