from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ssa.device import Placement
from ssa.errors import WeightsError
from ssa.models.clip import TEXT_BATCH, OpenClipRanker
from ssa.models.shared.pixels import middle
from ssa.models.shared.text_cache import LabelCache
from ssa.types import RGBImage
from tests.models.checkpoints import CLIP_MEAN, CLIP_STD, write_open_clip, write_siglip
from tests.models.spying import ODD_SIZES_HW, assert_is_red, inputs_of, noise, red

CPU = Placement(torch.device("cpu"), torch.float32)
CROPS = [noise(*size, seed=i) for i, size in enumerate(ODD_SIZES_HW)]
CANDIDATES = [["dog", "cat"], ["a tree", "dog", "red car"], ["sky"], *[["dog", "sky"]] * 3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clip")
    write_open_clip(path)
    return path


@pytest.fixture(scope="module")
def ranker(folder: Path) -> OpenClipRanker:
    return OpenClipRanker.load(folder, CPU)


def middle_of(crop: RGBImage) -> RGBImage:
    left, top, right, bottom = middle((0, 0, crop.shape[1], crop.shape[0]))
    return crop[top:bottom, left:right]


def test_same_scores_as_open_clip_one_crop_at_a_time(ranker: OpenClipRanker, folder: Path) -> None:
    model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    model.eval()
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    for crop, own, ranking in zip(CROPS, CANDIDATES, ranker.rank(CROPS, CANDIDATES), strict=True):
        with torch.inference_mode():
            pixels = preprocess(Image.fromarray(middle_of(crop)))
            logits, _ = model.get_logits(pixels[None], tokenizer(own))
        expected = dict(zip(own, logits[0].softmax(0).tolist(), strict=True))
        assert {item.label: item.score for item in ranking} == pytest.approx(expected, abs=1e-3)


def test_open_clips_own_tower_attends_in_fewer_operations_and_sees_the_same(
    ranker: OpenClipRanker, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, _ = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    with torch.inference_mode():
        pixels = ranker._spec.batch(CROPS, CPU.device)
        expected = plain.eval().encode_image(pixels, normalize=True)
        monkeypatch.setattr(torch.nn.MultiheadAttention, "forward", None)
        torch.testing.assert_close(ranker._encode_crops(CROPS), expected, atol=1e-5, rtol=0)


def test_same_input_as_open_clips_own_but_for_rounding(
    ranker: OpenClipRanker, folder: Path
) -> None:
    _, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    with inputs_of(ranker._model.visual.conv1) as seen:
        ranker.rank(CROPS, CANDIDATES)
    theirs = torch.stack([preprocess(Image.fromarray(middle_of(crop))) for crop in CROPS])
    bytes_off = (seen[0] - theirs).abs() * 255 * torch.tensor(CLIP_STD).view(3, 1, 1)
    assert bytes_off.max() < 2.1
    assert bytes_off.mean() < 0.05


def test_scores_sum_to_one_best_first(ranker: OpenClipRanker) -> None:
    for own, ranking in zip(CANDIDATES, ranker.rank(CROPS, CANDIDATES), strict=True):
        scores = [item.score for item in ranking]
        assert sorted(item.label for item in ranking) == sorted(own)
        assert scores == sorted(scores, reverse=True)
        assert sum(scores) == pytest.approx(1)


def test_each_label_is_encoded_once_and_each_crop_once(folder: Path) -> None:
    ranker = OpenClipRanker.load(folder, CPU)
    with (
        inputs_of(ranker._model.token_embedding) as texts,
        inputs_of(ranker._model.visual) as images,
    ):
        first = ranker.rank(CROPS, CANDIDATES)
        again = ranker.rank(CROPS[:1], [["dog", "red car", "new"]])
    assert [len(tokens) for tokens in texts] == [TEXT_BATCH] * 2  # Filled up, see below.
    assert [len(pixels) for pixels in images] == [len(CROPS), 1]
    assert first == ranker.rank(CROPS, CANDIDATES)
    assert len(again[0]) == 3


WORDS = ("dog", "cat", "a tree", "red car", "sky", "steering wheel of a car", "hot-air balloon")


@pytest.fixture(scope="module")
def alone(folder: Path) -> dict[str, torch.Tensor]:
    """The embedding of each word by a model that was asked for no other."""
    ranker = OpenClipRanker.load(folder, CPU)
    return {word: ranker._encode_labels([word] * TEXT_BATCH)[0] for word in WORDS}


@given(requests=st.lists(st.lists(st.sampled_from(WORDS), min_size=1), min_size=1, max_size=4))
def test_a_labels_embedding_is_the_same_to_the_bit_whatever_was_asked_beside_it_and_before(
    ranker: OpenClipRanker, alone: dict[str, torch.Tensor], requests: list[list[str]]
) -> None:
    cache = LabelCache[torch.Tensor](ranker._encode_labels, 3, TEXT_BATCH)
    with torch.inference_mode():
        for request in requests:
            for word, embedding in zip(request, cache.get(request), strict=True):
                assert torch.equal(embedding, alone[word])


@given(
    lists=st.lists(
        st.lists(st.sampled_from(WORDS), min_size=1, unique=True),
        min_size=len(CROPS),
        max_size=len(CROPS),
    )
)
def test_one_product_scores_as_each_crop_alone(
    ranker: OpenClipRanker, alone: dict[str, torch.Tensor], lists: list[list[str]]
) -> None:
    images = ranker._encode_crops(CROPS)
    for image, own, ranking in zip(images, lists, ranker.rank(CROPS, lists), strict=True):
        logits = torch.stack([(image * alone[word]).sum() for word in own]) * ranker._logit_scale
        expected = dict(zip(own, logits.softmax(0).tolist(), strict=True))
        assert {item.label: item.score for item in ranking} == pytest.approx(expected, abs=1e-5)


def test_a_red_crop_reaches_the_model_red(ranker: OpenClipRanker) -> None:
    with inputs_of(ranker._model.visual.conv1) as seen:
        ranker.rank([red(3, 17), red(40, 50)], [["dog"], ["dog"]])
    assert seen[0].shape == (2, 3, 32, 32)
    assert_is_red(seen[0], CLIP_MEAN, CLIP_STD)


def test_a_squeezing_model_sees_the_whole_of_a_long_crop(tmp_path: Path) -> None:
    write_open_clip(tmp_path, resize_mode="squash")
    ranker = OpenClipRanker.load(tmp_path, CPU)
    crop = np.concatenate([red(2, 50), np.zeros((2, 50, 3), np.uint8)], axis=1)
    with inputs_of(ranker._model.visual.conv1) as seen:
        ranker.rank([crop], [["dog"]])
    assert_is_red(seen[0][..., :12], CLIP_MEAN, CLIP_STD)


def test_half_precision_says_much_the_same(folder: Path, ranker: OpenClipRanker) -> None:
    half = OpenClipRanker.load(folder, Placement(torch.device("cpu"), torch.bfloat16))
    assert half._logit_scale == ranker._logit_scale
    for low, full in zip(half.rank(CROPS, CANDIDATES), ranker.rank(CROPS, CANDIDATES), strict=True):
        scores = {item.label: item.score for item in full}
        assert {item.label: item.score for item in low} == pytest.approx(scores, abs=0.1)


def test_a_model_that_takes_no_square_is_refused(tmp_path: Path) -> None:
    write_open_clip(tmp_path, resize_mode="longest")
    with pytest.raises(WeightsError, match="expected square input"):
        OpenClipRanker.load(tmp_path, CPU)


def test_no_crops_no_rankings(ranker: OpenClipRanker) -> None:
    assert ranker.rank([], []) == []


@pytest.mark.parametrize("name", ["open_clip_config.json", "open_clip_model.safetensors"])
def test_a_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    write_open_clip(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(WeightsError, match=f"CLIP: expected weights in .* without {name}"):
        OpenClipRanker.load(tmp_path, CPU)


@pytest.fixture(scope="module")
def siglip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("siglip")
    write_siglip(path)
    return path


def test_shares_of_a_sigmoid_model_are_its_odds(siglip: Path) -> None:
    """Each label's probability is its own there; its odds beside those of the others are the share."""
    model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{siglip}")
    model.eval()
    assert float(model.logit_bias.detach()) == -10
    tokenizer = open_clip.get_tokenizer(f"local-dir:{siglip}")
    rankings = OpenClipRanker.load(siglip, CPU).rank(CROPS, CANDIDATES)
    for crop, own, ranking in zip(CROPS, CANDIDATES, rankings, strict=True):
        with torch.inference_mode():
            pixels = preprocess(Image.fromarray(crop))
            logits, _ = model.get_logits(pixels[None], tokenizer(own))
        likely = logits[0].double().sigmoid()
        odds = likely / (1 - likely)
        expected = dict(zip(own, (odds / odds.sum()).tolist(), strict=True))
        assert {one.label: one.score for one in ranking} == pytest.approx(expected, abs=2e-3)


def test_a_tokenizer_of_its_own_is_read_from_the_folder(siglip: Path, tmp_path: Path) -> None:
    other = tmp_path / "siglip"
    shutil.copytree(siglip, other)
    (other / "tokenizer.json").unlink()
    with pytest.raises(WeightsError, match="can't be loaded"):
        OpenClipRanker.load(other, CPU)
