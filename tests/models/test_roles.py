"""From the folders of roles to stages: what may be lacking, and what each table refuses."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ssa.config import LabelSettings
from ssa.device import choose_placement
from ssa.errors import WeightsError
from ssa.models.roles import load_models
from ssa.weights import SHIPPED_ROOT

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
