"""The second miniature bundle: its own models beside the first one's, and what they say of a drawn scene."""

from __future__ import annotations

import pytest

from evaluation.toy import Evaluation
from ssa.loading import LoadedEngine, load_engine
from ssa.models.point_models import PointModel
from ssa.models.shared.dense import GridRanker
from ssa.weights import SHIPPED_ROOT, choose_bundle, open_bundle, verify
from toyworld.unseen import scenes


@pytest.fixture(scope="module")
def loaded() -> LoadedEngine:
    return load_engine(SHIPPED_ROOT, "tiny-modern", "cpu", "float32")


def test_it_is_whole_and_nobody_gets_it_unasked() -> None:
    verify(open_bundle(SHIPPED_ROOT, "tiny-modern"))
    assert choose_bundle(SHIPPED_ROOT).name == "tiny"


def test_it_has_a_sam_2_and_one_dense_ranker_in_two_roles(loaded: LoadedEngine) -> None:
    stages = loaded.stages
    assert isinstance(stages.proposers["sam"], PointModel)
    assert isinstance(stages.ranker, GridRanker)
    assert stages.chooser is stages.ranker
    assert loaded.bundle.models()["captions"] == "tiny_captions"
    assert stages.models["clip"] == stages.models["clipseg"] == "tiny-modern_clip"


def test_it_names_what_it_finds(loaded: LoadedEngine) -> None:
    """On 200 scenes 0.914 of the objects were found and named rightly; by chance it would be a thirtieth."""
    evaluation = Evaluation(loaded.stages, loaded.settings)
    for scene, rng in scenes(6, seed=5):
        evaluation.see(scene, rng)
    figures = evaluation.report()
    assert figures["engine.found_and_named"] >= 0.7
    assert figures["masks.part_recall_70"] >= 0.45
