from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from ssa.device import Placement
from ssa.errors import WeightsError
from ssa.models.clipseg.chooser import SHORT_TEXT, TEXT_BATCH, ClipSegChooser
from ssa.models.shared.text_cache import LabelCache
from tests.models.checkpoints import IMAGENET_MEAN, IMAGENET_STD, write_clipseg
from tests.models.spying import ODD_SIZES_HW, assert_is_red, inputs_of, noise, red

CPU = Placement(torch.device("cpu"), torch.float32)
SIDE_PX = 64
CROPS = [noise(*size, seed=i) for i, size in enumerate(ODD_SIZES_HW)]
MASKS = [np.ones(size, dtype=np.bool_) for size in ODD_SIZES_HW]
CANDIDATES = [["dog", "cat"], ["a tree", "dog", "red car"], ["sky", "a long name of a cat"]] * 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clipseg")
    write_clipseg(path)
    return path


@pytest.fixture(scope="module")
def chooser(folder: Path) -> ClipSegChooser:
    return ClipSegChooser.load(folder, CPU, SIDE_PX)


@pytest.mark.parametrize(("refined", "logits_px"), [(False, 64), (True, 32)])
def test_same_logits_as_the_plain_model_once_per_crop_and_label(
    tmp_path: Path, refined: bool, logits_px: int
) -> None:
    write_clipseg(tmp_path, refined=refined)
    chooser = ClipSegChooser.load(tmp_path, CPU, SIDE_PX)
    plain = transformers.CLIPSegForImageSegmentation.from_pretrained(tmp_path).eval()
    tokenizer = transformers.CLIPTokenizer.from_pretrained(tmp_path)
    processor = transformers.ViTImageProcessor.from_pretrained(
        tmp_path, size={"height": SIDE_PX, "width": SIDE_PX}
    )
    for crop, own, logits in zip(CROPS, CANDIDATES, chooser.logits(CROPS, CANDIDATES), strict=True):
        assert logits.shape == (len(own), logits_px, logits_px)
        assert logits.std() > 1e-2
        for label, mine in zip(own, logits, strict=True):
            inputs = dict(tokenizer([label], return_tensors="pt"))
            inputs |= processor([crop], input_data_format="channels_last", return_tensors="pt")
            with torch.inference_mode():
                theirs = plain(**inputs).logits.reshape(mine.shape)
            torch.testing.assert_close(mine, theirs, atol=1e-4, rtol=1e-4)


def test_each_crop_is_encoded_once_and_each_label_once(folder: Path) -> None:
    chooser = ClipSegChooser.load(folder, CPU, SIDE_PX)
    clip = chooser._model.clip
    with (
        inputs_of(clip.vision_model.embeddings.patch_embedding) as images,
        inputs_of(clip.text_model.embeddings.token_embedding) as texts,
        inputs_of(chooser._model.decoder.film_mul) as pairs,
    ):
        chooser.choose(CROPS, MASKS, CANDIDATES)
        chooser.choose(CROPS[:1], MASKS[:1], [["cat", "new"]])
    assert [len(pixels) for pixels in images] == [len(CROPS), 1]
    assert [len(tokens) for tokens in texts] == [TEXT_BATCH] * 2  # Filled up, see below.
    assert [len(embeddings) for embeddings in pairs] == [sum(map(len, CANDIDATES)), 2]


WORDS = ("dog", "cat", "a tree", "red car", "sky", "a long name of a cat " * 5, "hot-air balloon")


@pytest.fixture(scope="module")
def alone(folder: Path) -> dict[str, torch.Tensor]:
    """The embedding of each word by a model that was asked for no other."""
    chooser = ClipSegChooser.load(folder, CPU, SIDE_PX)
    with torch.inference_mode():
        return {word: chooser._texts.get([word])[0] for word in WORDS}


@given(requests=st.lists(st.lists(st.sampled_from(WORDS), min_size=1), min_size=1, max_size=4))
def test_a_labels_embedding_is_the_same_to_the_bit_whatever_was_asked_beside_it_and_before(
    chooser: ClipSegChooser, alone: dict[str, torch.Tensor], requests: list[list[str]]
) -> None:
    cache = LabelCache[torch.Tensor](chooser._encode_labels, 3, TEXT_BATCH, chooser._padded_length)
    with torch.inference_mode():
        for request in requests:
            for word, embedding in zip(request, cache.get(request), strict=True):
                assert torch.equal(embedding, alone[word])


def test_padding_changes_what_a_text_says_by_rounding_only(
    chooser: ClipSegChooser, alone: dict[str, torch.Tensor]
) -> None:
    for word, embedding in alone.items():
        tokens = chooser._tokenizer([word], return_tensors="pt")
        with torch.inference_mode():
            plain = chooser._model.clip.get_text_features(**tokens).pooler_output[0]
        torch.testing.assert_close(embedding, plain, atol=1e-5, rtol=1e-4)


def test_a_text_is_padded_by_its_own_length(chooser: ClipSegChooser) -> None:
    longest = chooser._model.config.text_config.max_position_embeddings
    assert longest > SHORT_TEXT
    assert {word: chooser._padded_length(word) for word in WORDS} == {
        word: longest if len(word) > 50 else SHORT_TEXT for word in WORDS
    }


def test_shares_are_of_the_masks_pixels(chooser: ClipSegChooser) -> None:
    for own, shares in zip(CANDIDATES, chooser.choose(CROPS, MASKS, CANDIDATES), strict=True):
        scores = [item.score for item in shares]
        assert sorted(item.label for item in shares) == sorted(own)
        assert scores == sorted(scores, reverse=True)
        assert sum(scores) == pytest.approx(1)


def test_the_mask_says_where_to_look(chooser: ClipSegChooser) -> None:
    crop, own = noise(40, 50), ["dog", "cat", "a tree"]
    (logits,) = chooser.logits([crop], [own])
    winners = torch.nn.functional.interpolate(
        logits[None], size=(40, 50), mode="bilinear", antialias=True
    )[0].argmax(0)
    assert len(winners.unique()) == 3
    masks = [(winners == i).numpy() for i in range(3)]
    chosen = chooser.choose([crop] * 3, masks, [own] * 3)
    assert [(shares[0].label, shares[0].score) for shares in chosen] == [(x, 1.0) for x in own]


def test_a_batch_chooses_what_its_crops_choose_alone(chooser: ClipSegChooser) -> None:
    together = chooser.choose(CROPS, MASKS, CANDIDATES)
    for i, shares in enumerate(together):
        (alone,) = chooser.choose(CROPS[i : i + 1], MASKS[i : i + 1], CANDIDATES[i : i + 1])
        assert {x.label: x.score for x in alone} == pytest.approx(
            {x.label: x.score for x in shares}, abs=0.02
        )


def test_a_large_crop_is_compared_on_a_smaller_grid(
    chooser: ClipSegChooser, monkeypatch: pytest.MonkeyPatch
) -> None:
    crop, own = noise(500, 90), ["dog", "cat", "a tree"]
    mask = np.zeros((500, 90), np.bool_)
    mask[100:400, 20:70] = True
    (capped,) = chooser.choose([crop], [mask], [own])
    monkeypatch.setattr("ssa.models.clipseg.chooser.GRID_PER_SIDE", 100)
    (uncapped,) = chooser.choose([crop], [mask], [own])
    assert {x.label: x.score for x in capped} == pytest.approx(
        {x.label: x.score for x in uncapped}, abs=0.02
    )


def test_a_red_crop_reaches_the_model_red(chooser: ClipSegChooser) -> None:
    with inputs_of(chooser._model.clip.vision_model.embeddings.patch_embedding) as seen:
        chooser.logits([red(3, 17), red(40, 50)], [["dog"], ["dog", "cat"]])
    assert seen[0].shape == (2, 3, SIDE_PX, SIDE_PX)
    assert_is_red(seen[0], IMAGENET_MEAN, IMAGENET_STD)


def test_half_precision_says_much_the_same(folder: Path, chooser: ClipSegChooser) -> None:
    half = ClipSegChooser.load(folder, Placement(torch.device("cpu"), torch.bfloat16), SIDE_PX)
    low, full = (x.logits(CROPS[-1:], [["dog", "cat"]])[0] for x in (half, chooser))
    assert low.dtype == torch.float32
    assert half._model.decoder.film_mul.weight.dtype == torch.float32
    assert (low - full).abs().mean() < 0.1 * full.std() + 0.1 * full.abs().mean()


def test_layers_that_the_decoder_never_reads_are_dropped(chooser: ClipSegChooser) -> None:
    assert len(chooser._model.clip.vision_model.encoder.layers) == 3


def test_no_crops_no_choices(chooser: ClipSegChooser) -> None:
    assert chooser.choose([], [], []) == []


@pytest.mark.parametrize("side_px", [0, 63, 4])
def test_a_side_that_cuts_a_patch_is_refused(folder: Path, side_px: int) -> None:
    with pytest.raises(WeightsError, match="multiple of the patch, 8"):
        ClipSegChooser.load(folder, CPU, side_px)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "preprocessor_config.json"])
def test_a_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    write_clipseg(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(WeightsError, match=f"CLIPSeg: expected weights in .* without {name}"):
        ClipSegChooser.load(tmp_path, CPU, SIDE_PX)
