from __future__ import annotations

from pathlib import Path

import pytest
import torch
import transformers

from ssa.device import Placement
from ssa.errors import WeightsError
from ssa.models.blip import BlipCaptioner
from tests.models.checkpoints import CLIP_MEAN, CLIP_STD, write_blip
from tests.models.spying import ODD_SIZES_HW, assert_is_red, inputs_of, noise, red

CPU = Placement(torch.device("cpu"), torch.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("blip")
    write_blip(path)
    return path


@pytest.fixture(scope="module")
def captioner(folder: Path) -> BlipCaptioner:
    return BlipCaptioner.load(folder, CPU, max_new_tokens=6)


def test_a_batch_says_what_its_crops_say_alone(captioner: BlipCaptioner) -> None:
    crops = [noise(*size, seed=i) for i, size in enumerate(ODD_SIZES_HW)]
    together = captioner.caption(crops)
    assert len(set(together)) > 1
    assert together == [captioner.caption([crop])[0] for crop in crops]


def test_captions_are_words_and_nothing_else(captioner: BlipCaptioner) -> None:
    for caption in captioner.caption([noise(30, 40, seed=i) for i in range(5)]):
        assert caption == caption.strip()
        assert all(word.startswith("word") for word in caption.split())
        assert 1 <= len(caption.split()) <= 6


def test_the_start_mark_stays_out_though_the_vocabulary_knows_it(tmp_path: Path) -> None:
    write_blip(tmp_path)
    with (tmp_path / "vocab.txt").open("a", encoding="utf-8") as vocabulary:
        vocabulary.write("[DEC]\n")
    captioner = BlipCaptioner.load(tmp_path, CPU, max_new_tokens=3)
    assert captioner._tokenizer.convert_tokens_to_ids("[DEC]") == 62
    assert "DEC" not in captioner.caption([noise(20, 20)])[0].upper()


def test_max_new_tokens_bounds_the_caption(folder: Path) -> None:
    captioner = BlipCaptioner.load(folder, CPU, max_new_tokens=2)
    assert max(len(c.split()) for c in captioner.caption([noise(30, 40, s) for s in range(4)])) == 2


def test_a_model_that_ends_at_once_says_nothing(folder: Path) -> None:
    captioner = BlipCaptioner.load(folder, CPU, max_new_tokens=4)
    captioner._decoder.scores.predictions.decoder.bias[captioner._decoder._end] = 1e4
    assert captioner.caption([noise(9, 9)]) == [""]


def test_no_crops_no_captions(captioner: BlipCaptioner) -> None:
    assert captioner.caption([]) == []


def test_a_red_crop_reaches_the_model_red(captioner: BlipCaptioner) -> None:
    with inputs_of(captioner._vision.embeddings.patch_embedding) as seen:
        captioner.caption([red(3, 17), red(40, 50)])
    assert seen[0].shape == (2, 3, 32, 32)
    assert_is_red(seen[0], CLIP_MEAN, CLIP_STD)


def test_weights_take_the_placements_type_save_for_the_words_scores(folder: Path) -> None:
    half = BlipCaptioner.load(folder, Placement(torch.device("cpu"), torch.bfloat16), 4)
    parts = {"": half._vision, "decoder.": half._decoder}
    types = {
        start + name: weight.dtype
        for start, part in parts.items()
        for name, weight in part.named_parameters()
    }
    high = {name for name, dtype in types.items() if dtype == torch.float32}
    assert set(types.values()) == {torch.float32, torch.bfloat16}
    assert {name.split(".")[1] for name in high} == {"scores"}
    assert len(half.caption([noise(20, 30), red(4, 4)])) == 2


def test_same_embeddings_as_the_plain_model(captioner: BlipCaptioner, folder: Path) -> None:
    plain = transformers.BlipForConditionalGeneration.from_pretrained(folder).eval()
    crops = [noise(*size, seed=i) for i, size in enumerate(ODD_SIZES_HW)]
    pixels = transformers.BlipImageProcessor.from_pretrained(folder)(
        images=crops, input_data_format="channels_last", return_tensors="pt"
    )["pixel_values"]
    with torch.inference_mode(), inputs_of(captioner._vision) as seen:
        captioner.caption(crops)
        mine, theirs = (tower(pixels)[0] for tower in (captioner._vision, plain.vision_model))
    torch.testing.assert_close(seen[0], pixels, atol=1e-6, rtol=0)
    torch.testing.assert_close(mine, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "preprocessor_config.json"])
def test_a_damaged_folder_is_named(tmp_path: Path, name: str) -> None:
    write_blip(tmp_path)
    (tmp_path / name).write_bytes(b"{")
    with pytest.raises(WeightsError, match=r"captions: .* can't be loaded"):
        BlipCaptioner.load(tmp_path, CPU, 4)


def test_pickled_weights_are_never_opened(tmp_path: Path) -> None:
    write_blip(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    (tmp_path / "pytorch_model.bin").write_bytes(b"no matter what")
    with pytest.raises(WeightsError):
        BlipCaptioner.load(tmp_path, CPU, 4)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"nowhere, a folder that is not there"):
        BlipCaptioner.load(tmp_path / "nowhere", CPU, 4)
