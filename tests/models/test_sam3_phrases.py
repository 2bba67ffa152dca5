"""SAM 3 by phrases: transformers' own answers, phrase by phrase, at any size of picture and of batch."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from models.small_sam3 import write_sam3
from safetensors.torch import load_file, save_file
from torch.nn import functional

from ssa.device import choose_placement
from ssa.errors import OutOfMemory, WeightsError
from ssa.masks.overlaps import ious
from ssa.masks.run_lengths import box_of, decode, encode
from ssa.models.sam3_phrases import Sam3Phrases
from ssa.types import MaskProposal, RGBImage

CPU = choose_placement("cpu", "float32")
SIZES = [(90, 120), (112, 112), (37, 201), (3, 1)]
PHRASES = ["cat", "a red car", "dog", "wheel of a car", "traffic light"]
LEAST = 0.1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sam3")
    write_sam3(folder)
    return folder


@pytest.fixture(scope="module")
def ours(folder: Path) -> Sam3Phrases:
    return Sam3Phrases.load(folder, CPU)


@pytest.fixture(scope="module")
def theirs(folder: Path) -> tuple[Any, Any]:
    """The model and its processor, as transformers loads them."""
    model = transformers.Sam3Model.from_pretrained(folder, dtype=torch.float32).eval()
    return model, transformers.Sam3Processor.from_pretrained(folder)


def picture(size_hw: tuple[int, int]) -> RGBImage:
    """Blots, for noise alone looks the same everywhere."""
    rng = np.random.default_rng(size_hw[0])
    small = torch.from_numpy(rng.uniform(0, 255, (1, 3, 5, 7)))
    large = functional.interpolate(small, size_hw, mode="bicubic").clamp(0, 255)
    return np.ascontiguousarray(large[0].permute(1, 2, 0).numpy().astype(np.uint8))


def found(
    model: Sam3Phrases, image: RGBImage, phrases: list[str], least: float = LEAST
) -> list[tuple[MaskProposal, ...]]:
    return model.find(image, phrases, least, lambda done, total: None)


@torch.inference_mode()
def plainly(
    theirs: tuple[Any, Any], image: RGBImage, phrase: str, least: float = LEAST
) -> list[tuple[float, Any]]:
    """Scores and masks (H, W) of one phrase, asked alone; best first, none empty."""
    model, processor = theirs
    inputs = processor(
        images=torch.from_numpy(image).permute(2, 0, 1),
        text=phrase,
        return_tensors="pt",
        input_data_format="channels_first",
    )
    inputs.pop("original_sizes")
    (answer,) = processor.image_processor.post_process_instance_segmentation(
        model(**inputs), threshold=least, target_sizes=[image.shape[:2]]
    )
    pairs = zip(answer["scores"].tolist(), answer["masks"].numpy().astype(bool), strict=True)
    return sorted((pair for pair in pairs if pair[1].any()), key=lambda pair: -pair[0])


@pytest.mark.parametrize("size_hw", SIZES)
def test_instances_are_those_of_transformers(
    ours: Sam3Phrases, theirs: tuple[Any, Any], size_hw: tuple[int, int]
) -> None:
    image = picture(size_hw)
    for phrase, own in zip(PHRASES, found(ours, image, PHRASES), strict=True):
        expected = plainly(theirs, image, phrase)
        assert [one.predicted_iou for one in own] == pytest.approx(
            [score for score, _ in expected], abs=1e-5
        )
        for one, (_, mask) in zip(own, expected, strict=True):
            assert ious([one.rle], [encode(mask)])[0, 0] > 0.995
    # Phrases are told apart, and some are there.
    assert len({len(own) for own in found(ours, picture((90, 120)), PHRASES)}) > 1


def test_a_score_is_presence_times_the_querys_share(
    ours: Sam3Phrases, theirs: tuple[Any, Any]
) -> None:
    image = picture((90, 120))
    model, processor = theirs
    inputs = processor(images=image, text="cat", return_tensors="pt")
    inputs.pop("original_sizes")
    with torch.inference_mode():
        answer = model(**inputs)
    presence = float(answer.presence_logits.sigmoid())
    best = presence * float(answer.pred_logits.sigmoid().max())
    assert 0.05 < presence < 0.999
    (own,) = found(ours, image, ["cat"], best - 0.001)
    assert own[0].predicted_iou == pytest.approx(best, abs=1e-5)
    assert found(ours, image, ["cat"], best + 0.001) == [()]


def test_what_is_said_of_an_instance_is_true_of_its_mask(ours: Sam3Phrases) -> None:
    image = picture((37, 201))
    instances = [one for own in found(ours, image, PHRASES) for one in own]
    assert instances
    for one in instances:
        mask = decode(one.rle)
        assert mask.shape == (37, 201)
        assert (one.bbox_xywh, one.area_px) == (box_of(mask), int(mask.sum()))
        assert one.area_px > 0
        assert (one.crop_box_xywh, one.points_xy) == ((0.0, 0.0, 201.0, 37.0), ())
        assert 0 <= one.stability_score <= 1
        assert LEAST < one.predicted_iou <= 1


def test_the_size_of_batches_changes_no_instance(ours: Sam3Phrases) -> None:
    image = picture((90, 120))
    together = found(ours, image, PHRASES)
    alone = [found(ours, image, [phrase])[0] for phrase in PHRASES]
    for own, one_by_one in zip(together, alone, strict=True):
        assert len(own) == len(one_by_one)
        for one, other in zip(own, one_by_one, strict=True):
            assert one.predicted_iou == pytest.approx(other.predicted_iou, abs=1e-5)
            assert ious([one.rle], [other.rle])[0, 0] > 0.995


def test_the_picture_is_seen_once_and_a_text_read_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Sam3Phrases.load(folder, CPU)
    looks, reads, progress = list[int](), list[int](), list[tuple[int, int]]()
    look, read = model._model.get_vision_features, model._model.get_text_features
    monkeypatch.setattr(
        model._model, "get_vision_features", lambda *one: looks.append(1) or look(*one)
    )
    monkeypatch.setattr(
        model._model, "get_text_features", lambda *one: reads.append(1) or read(*one)
    )
    first = model.find(
        picture((90, 120)), PHRASES, LEAST, lambda *done: progress.append(tuple(done))
    )
    again = found(model, picture((90, 120)), PHRASES)
    assert first == again
    assert (len(looks), len(reads)) == (2, 1)
    assert progress == [(2, 5), (4, 5), (5, 5)]
    assert found(model, picture((90, 120)), []) == []
    assert len(looks) == 2


def test_a_phrase_too_long_to_be_read_is_cut(ours: Sam3Phrases) -> None:
    long = "red " * 29 + "car"
    image = picture((90, 120))
    ends = ("and more", "or less")
    cut, whole = (
        [found(ours, image, [f"{text} {end}"], 0.0) for end in ends] for text in (long, "car")
    )
    assert cut[0] == cut[1]
    assert whole[0] != whole[1]


def test_where_memory_is_short_fewer_phrases_go_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Sam3Phrases.load(folder, CPU)
    model.phrases_at_once = 4
    ask, sizes = model._ask, list[int]()

    def with_room_for_two(seen: Any, texts: Any, *rest: Any) -> Any:
        sizes.append(len(texts))
        if len(texts) > 2:
            raise OutOfMemory("no room")
        return ask(seen, texts, *rest)

    monkeypatch.setattr(model, "_ask", with_room_for_two)
    assert len(found(model, picture((90, 120)), PHRASES)) == len(PHRASES)
    assert sizes == [4, 2, 2, 1]


def test_the_encoder_alone_computes_in_fewer_bits(folder: Path) -> None:
    model = Sam3Phrases.load(folder, replace(CPU, dtype=torch.bfloat16))
    own = found(model, picture((90, 120)), ["cat"], 0.0)[0]
    exact = found(Sam3Phrases.load(folder, CPU), picture((90, 120)), ["cat"], 0.0)[0]
    assert own[0].predicted_iou == pytest.approx(exact[0].predicted_iou, abs=0.1)
    kinds = {name: one.dtype for name, one in model._model.named_parameters()}
    assert {dtype for name, dtype in kinds.items() if name.startswith("vision_encoder")} == {
        torch.bfloat16
    }
    assert {dtype for name, dtype in kinds.items() if not name.startswith("vision_encoder")} == {
        torch.float32
    }


def test_of_a_model_of_videos_the_detector_is_taken(tmp_path: Path) -> None:
    write_sam3(tmp_path, of_videos=True)
    model = Sam3Phrases.load(tmp_path, CPU)
    weights = load_file(tmp_path / "model.safetensors")
    own = model._model.state_dict()
    assert {f"detector_model.{name}" for name in own} <= set(weights)
    assert all(torch.equal(value, weights[f"detector_model.{name}"]) for name, value in own.items())
    assert len(found(model, picture((90, 120)), PHRASES)) == len(PHRASES)


def test_published_sizes_are_those_that_batches_are_made_for() -> None:
    config = transformers.Sam3Config()
    with torch.device("meta"):
        model = transformers.Sam3Model(config)
    count = sum(one.numel() for one in model.parameters())
    assert round(count / 1e6, 1) == 840.4
    maps = config.vision_config.backbone_feature_sizes
    assert (maps[0], config.vision_config.fpn_hidden_size) == ([288, 288], 256)
    assert config.detr_decoder_config.num_queries == 200
    tokens, numbers = (
        config.text_config.max_position_embeddings,
        config.detr_encoder_config.hidden_size,
    )
    assert tokens * numbers * torch.float32.itemsize == 32 * 1024


def test_damaged_folders_are_refused(folder: Path, tmp_path: Path) -> None:
    def copy(name: str) -> Path:
        return Path(shutil.copytree(folder, tmp_path / name))

    unread = copy("unread")
    (unread / "tokenizer_config.json").unlink()
    with pytest.raises(WeightsError, match=r"SAM 3: .* without tokenizer_config.json"):
        Sam3Phrases.load(unread, CPU)
    lacking = copy("lacking")
    weights = load_file(lacking / "model.safetensors")
    del weights["text_projection.weight"]
    save_file(weights, lacking / "model.safetensors")
    with pytest.raises(WeightsError, match="1 parameters are not in the checkpoint"):
        Sam3Phrases.load(lacking, CPU)
    blind = copy("blind")
    (blind / "processor_config.json").write_text(json.dumps({"processor_class": "Sam3Processor"}))
    with pytest.raises(WeightsError, match=r"SAM 3: blind|SAM 3: .*/blind"):
        Sam3Phrases.load(blind, CPU)
