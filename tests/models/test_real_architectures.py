"""The published architectures at their real shapes, with random weights, through the same adapters."""

from __future__ import annotations

from pathlib import Path

import huggingface_hub.constants
import numpy as np
import open_clip
import pytest
import torch
import transformers
from models.florence_reference import ALL, one_by_one
from models.small_captioners import write_florence

from benchmarks.real_sizes import (
    BART_BASE,
    BLIP_BASE_TEXT,
    BLIP_BASE_VISION,
    DAVIT_BASE,
    SWIN_LARGE,
    SWIN_TINY,
    VIT_B_16,
)
from ssa.device import Placement
from ssa.labelling.labels import load_labels
from ssa.models.blip import BlipCaptioner
from ssa.models.clip import OpenClipRanker
from ssa.models.clipseg import ClipSegChooser
from ssa.models.florence import FlorenceCaptioner
from ssa.models.oneformer import OneFormerSegmentor
from ssa.models.oneformer import segmentor as oneformer
from ssa.models.shared.class_scores import class_scores
from tests.models.checkpoints import write_blip, write_clipseg, write_oneformer, write_open_clip
from tests.models.spying import noise

pytestmark = pytest.mark.slow

CPU = Placement(torch.device("cpu"), torch.float32)


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    # Read from the environment at import, which may be long past.
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)


@pytest.mark.parametrize(
    ("source", "swin", "edges"),
    # The large one gets a smaller picture than its own 800 px: its weights are enough for one test.
    [("ade20k", SWIN_TINY, (512, 2048)), ("coco", SWIN_LARGE, (256, 512))],
    ids=["swin-tiny", "swin-large"],
)
def test_oneformer(
    tmp_path: Path, source: str, swin: dict[str, object], edges: tuple[int, int]
) -> None:
    labels = load_labels(source)
    write_oneformer(tmp_path, labels, swin, {"num_queries": 150}, edges)
    segmentor, picture = OneFormerSegmentor.load(tmp_path, CPU, source, labels), noise(90, 120)
    label_map, scores = segmentor.segment(picture), segmentor.scores(picture)
    assert label_map.class_ids.shape == (90, 120)
    # Random weights may well see one class everywhere; it must be one of the list's.
    assert set(np.unique(label_map.class_ids)) <= set(range(len(labels)))
    pixels = segmentor._prepare(picture)
    del segmentor
    plain = transformers.OneFormerForUniversalSegmentation.from_pretrained(tmp_path)
    task = oneformer._task_tokens(oneformer._load_processor(tmp_path, plain.config.task_seq_len))
    with torch.inference_mode():
        found = plain(pixels, task)
    theirs = class_scores(found.class_queries_logits[0], found.masks_queries_logits[0])
    # Random queries are loud: where one may look flips by rounding, and a query then says something else.
    close = torch.isclose(scores, theirs, atol=1e-3, rtol=1e-3)
    assert close.float().mean() > 0.9


def test_blip_base(tmp_path: Path) -> None:
    write_blip(tmp_path, BLIP_BASE_VISION, BLIP_BASE_TEXT, vocabulary_size=30524)
    captions = BlipCaptioner.load(tmp_path, CPU, 5).caption([noise(90, 120), noise(7, 1)])
    assert len(captions) == 2
    assert all(captions)


def test_florence_2_base(tmp_path: Path) -> None:
    """Its 230 million parameters say of both crops at once what ``generate`` says of them one by one."""
    # With letters, marks and places, its 51,289 tokens.
    write_florence(tmp_path, DAVIT_BASE, BART_BASE, side=768, eagerness=0.0, words=50189)
    captioner = FlorenceCaptioner.load(tmp_path, CPU, 8)
    weights = sum(weight.numel() for weight in captioner._model.parameters())
    assert weights == pytest.approx(231e6, rel=0.01)
    crops = [noise(90, 120), noise(64, 32, seed=1)]
    said = captioner.caption(crops)
    del captioner
    assert said == one_by_one(tmp_path, crops, [ALL] * 2, 8)
    assert len(set(said)) == 2


def test_clip_vit_b_32(tmp_path: Path) -> None:
    write_open_clip(tmp_path, open_clip.get_model_config("ViT-B-32-quickgelu"))
    ranker = OpenClipRanker.load(tmp_path, CPU)
    (ranking,) = ranker.rank([noise(90, 120)], [["dog", "red car", "sky"]])
    assert {item.label for item in ranking} == {"dog", "red car", "sky"}
    assert sum(item.score for item in ranking) == pytest.approx(1)


@pytest.mark.parametrize("side_px", [352, 512])
@pytest.mark.parametrize(
    ("reduce_dim", "refined"), [(16, False), (64, True)], ids=["rd16", "rd64-refined"]
)
def test_clipseg(tmp_path: Path, reduce_dim: int, refined: bool, side_px: int) -> None:
    write_clipseg(tmp_path, {"reduce_dim": reduce_dim, "vision_config": VIT_B_16}, refined)
    chooser = ClipSegChooser.load(tmp_path, CPU, side_px)
    crop, own = noise(90, 120), ["dog", "red car", "sky"]
    assert chooser.logits([crop], [own])[0].shape == (3, side_px, side_px)
    (shares,) = chooser.choose([crop], [np.ones((90, 120), np.bool_)], [own])
    assert sum(item.score for item in shares) == pytest.approx(1)
