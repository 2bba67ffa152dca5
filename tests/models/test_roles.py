"""From the folders of roles to stages: what may be lacking, and what each table refuses."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from models.small_captioners import write_florence, write_qwen3_vl

from ssa.config import LabelSettings
from ssa.device import choose_placement
from ssa.errors import WeightsError
from ssa.labelling.noun_lists import NounLists
from ssa.models.clip import OpenClipRanker
from ssa.models.clipseg import ClipSegChooser
from ssa.models.roles import load_models
from ssa.models.shared.dense import GridRanker
from ssa.models.tables.captioners import CAPTIONERS, CHAT
from ssa.stages import NounExtractor
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
    lacking = (stages.captioner, stages.nouns, stages.chooser, stages.embedder, stages.phrases)
    assert lacking == (None,) * 5


def test_nothing_stands_in_for_a_ranker() -> None:
    with pytest.raises(WeightsError, match="expected weights of clip"):
        load_models({"coco_segmentor": TINY / "coco_segmentor"}, LabelSettings(), CPU)


@pytest.mark.parametrize(
    ("role", "what"),
    [
        ("captions", "a captioner"),
        ("clip", "a ranker"),
        ("clipseg", "a chooser"),
        ("phrases", "a model that finds phrases"),
    ],
)
def test_a_family_without_an_adapter_is_told(role: str, what: str, tmp_path: Path) -> None:
    folder = tmp_path / role
    shutil.copytree(TINY / (role if role != "phrases" else "clip"), folder)
    (folder / "config.json").write_text('{"model_type": "bert"}')
    (folder / "open_clip_config.json").unlink(missing_ok=True)
    with pytest.raises(WeightsError, match=f"{role}: expected {what} of one of .*; got 'bert'"):
        load_models(FEWEST | {role: folder}, LabelSettings(), CPU)


def test_a_folder_in_two_layouts_is_open_clips(tmp_path: Path) -> None:
    """As some publishers have it: transformers' config beside."""
    folder = tmp_path / "clip"
    shutil.copytree(TINY / "clip", folder)
    (folder / "config.json").write_text('{"model_type": "clip"}')
    stages = load_models(FEWEST | {"clip": folder}, LabelSettings(), CPU)
    assert isinstance(stages.ranker, OpenClipRanker)


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


def test_a_clip_may_look_once() -> None:
    at_once = LabelSettings(ranker_looks_once=True)
    stages = load_models(FEWEST, at_once, CPU)
    assert isinstance(stages.ranker, GridRanker)
    assert stages.dense is stages.ranker
    assert not isinstance(load_models(FEWEST, LabelSettings(), CPU).ranker, GridRanker)


CHAT_FAMILIES = ("qwen3_vl", "smolvlm", "idefics3", "gemma3", "internvl", "llava_onevision")


@pytest.mark.parametrize("family", CHAT_FAMILIES)
def test_whatever_chats_about_pictures_is_a_captioner(family: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": family}))
    assert CAPTIONERS.loader(tmp_path) is CHAT


def nouns_of(
    write: Callable[[Path], None] | None, tmp_path: Path, *more: str
) -> NounExtractor | None:
    """What reads captions in a bundle with such a captioner (None: the miniature BLIP) and more roles."""
    captions = TINY / "captions"
    if write:
        captions = tmp_path / "captions"
        captions.mkdir()
        write(captions)
    folders = FEWEST | {"captions": captions} | {role: TINY / role for role in more}
    return load_models(folders, LabelSettings(), CPU).nouns


def test_a_chat_models_lists_are_read_without_the_role_nouns(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert isinstance(nouns_of(write_qwen3_vl, tmp_path), NounLists)
    assert "nouns" not in caplog.text


def test_a_chat_models_lists_are_no_sentences(tmp_path: Path) -> None:
    assert isinstance(nouns_of(write_qwen3_vl, tmp_path, "nouns"), NounLists)


def test_sentences_that_nothing_reads_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert nouns_of(None, tmp_path) is None
    assert "without the role nouns captions are sentences that nothing reads" in caplog.text


def test_florences_name_counts_without_the_role_nouns(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nouns = nouns_of(write_florence, tmp_path)
    assert nouns is not None
    assert nouns.extract(["car: a red car on the road"]) == [("car",)]
    assert "without the role nouns descriptions are read by nothing" in caplog.text


def test_florences_description_is_read_by_the_role_nouns(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nouns = nouns_of(write_florence, tmp_path, "nouns")
    assert nouns is not None
    (found,) = nouns.extract(["vehicle: a red car on the grass"])
    assert found[0] == "vehicle"
    assert {"red car", "grass"} <= set(found)
    assert "nouns" not in caplog.text
