"""From the folders of roles to stages: what may be lacking, and what each table refuses."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from ssa.config import LabelSettings
from ssa.device import choose_placement
from ssa.errors import WeightsError
from ssa.models.clipseg import ClipSegChooser
from ssa.models.roles import load_models
from ssa.models.shared.dense import GridRanker
from ssa.weights import SHIPPED_ROOT
from tests.models.checkpoints import write_tipsv2

CPU = choose_placement("cpu", "float32")
TINY = SHIPPED_ROOT / "tiny"
FEWEST = {role: TINY / role for role in ("coco_segmentor", "clip")}


def test_a_ranker_and_a_voter_are_enough() -> None:
    stages = load_models(FEWEST, LabelSettings(), CPU)
    assert [*stages.closed_set] == ["coco"]
    assert len(stages.segmentors) == 1
    assert not stages.proposers
    lacking = (stages.captioner, stages.nouns, stages.chooser, stages.embedder)
    assert lacking == (None, None, None, None)


def test_nothing_stands_in_for_a_ranker() -> None:
    with pytest.raises(WeightsError, match="expected weights of clip"):
        load_models({"coco_segmentor": TINY / "coco_segmentor"}, LabelSettings(), CPU)


@pytest.mark.parametrize(
    ("role", "what"), [("captions", "a captioner"), ("clip", "a ranker"), ("clipseg", "a chooser")]
)
def test_a_family_without_an_adapter_is_told(role: str, what: str, tmp_path: Path) -> None:
    folder = tmp_path / role
    shutil.copytree(TINY / role, folder)
    (folder / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(WeightsError, match=f"{role}: expected {what} of one of .*; got 'bert'"):
        load_models(FEWEST | {role: folder}, LabelSettings(), CPU)


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tipsv2")
    write_tipsv2(folder)
    return folder


def test_a_dense_ranker_in_both_roles_is_one_model(dense: Path, tmp_path: Path) -> None:
    linked = tmp_path / "clipseg"
    shutil.copytree(dense, linked, copy_function=os.link)
    for other in (dense, linked):
        stages = load_models(FEWEST | {"clip": dense, "clipseg": other}, LabelSettings(), CPU)
        assert isinstance(stages.ranker, GridRanker)
        assert stages.chooser is stages.ranker


def test_a_dense_ranker_in_one_role_leaves_the_other_alone(dense: Path) -> None:
    stages = load_models(FEWEST | {"clip": dense}, LabelSettings(), CPU)
    assert isinstance(stages.ranker, GridRanker)
    assert stages.chooser is None
    stages = load_models(
        FEWEST | {"clip": dense, "clipseg": TINY / "clipseg"}, LabelSettings(), CPU
    )
    assert isinstance(stages.chooser, ClipSegChooser)
    finer = LabelSettings(dense_side_px=112)
    stages = load_models(FEWEST | {"clipseg": dense}, finer, CPU)
    assert isinstance(stages.chooser, GridRanker)
    assert stages.chooser.look(np.zeros((9, 9, 3), np.uint8)).cells.shape[:2] == (8, 8)
