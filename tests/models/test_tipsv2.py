from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from torch.nn import functional
from torchvision.transforms.v2 import functional as vision

from ssa.device import Placement
from ssa.errors import WeightsError
from ssa.masks.run_lengths import encode
from ssa.models.shared.dense import TEXT_BATCH, GridRanker
from ssa.models.shared.text_cache import LabelCache
from ssa.models.tipsv2 import SHORT_TEXT, Tipsv2Encoder, load_tipsv2
from ssa.models.weight import weight_bytes
from tests.models.checkpoints import write_tipsv2
from tests.models.spying import assert_is_red, inputs_of, noise, red

CPU = Placement(torch.device("cpu"), torch.float32)
SIZES_HW = [(56, 56), (1, 1), (1, 50), (40, 3), (333, 70), (90, 121)]
WORDS = ("dog", "cat", "a tree", "red car", "sky", "steering wheel of a car", "x" * 200)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tipsv2")
    write_tipsv2(path)
    return path


@pytest.fixture(scope="module")
def ranker(folder: Path) -> GridRanker:
    return load_tipsv2(folder, CPU)


@pytest.fixture(scope="module")
def plain(folder: Path) -> transformers.Tipsv2Model:
    return transformers.Tipsv2Model.from_pretrained(folder).eval()


def encoder_of(ranker: GridRanker) -> Tipsv2Encoder:
    assert isinstance(ranker._encoder, Tipsv2Encoder)
    return ranker._encoder


def plain_cells(model: transformers.Tipsv2Model, pixels: torch.Tensor) -> torch.Tensor:
    """(1, tokens, D) of transformers' own tower, whose last block is told to see but one token each."""
    tower = model.vision_model
    with torch.inference_mode():
        states = tower(pixels, output_hidden_states=True).hidden_states[-2]
        alone = torch.full((states.shape[1],) * 2, torch.finfo(torch.float32).min)
        alone = alone.fill_diagonal_(0)[None, None]
        return tower.layernorm(tower.encoder.layer[-1](states, attention_mask=alone))


@pytest.mark.parametrize("size_hw", SIZES_HW)
def test_same_cells_as_transformers_own_with_each_to_itself_at_the_end(
    ranker: GridRanker, plain: transformers.Tipsv2Model, size_hw: tuple[int, int]
) -> None:
    image = noise(*size_hw)
    with torch.inference_mode():
        cells = encoder_of(ranker).encode_cells(image)
    size = cells.shape[0] * 14, cells.shape[1] * 14
    pixels = torch.from_numpy(image.transpose(2, 0, 1).copy())
    pixels = vision.resize(pixels, [*size], antialias=True)[None] / 255
    theirs = functional.normalize(plain_cells(plain, pixels)[0, 2:], dim=-1).view_as(cells)
    torch.testing.assert_close(cells, theirs, atol=1e-4, rtol=1e-4)
    assert len(cells.flatten(0, 1)) >= 14
    assert image.size == 3 or cells.flatten(0, 1).std(dim=0).mean() > 0.02


def test_a_square_is_seen_as_transformers_own_processor_has_it(
    ranker: GridRanker, folder: Path
) -> None:
    image = noise(90, 90)
    with inputs_of(encoder_of(ranker).model.vision_model.embeddings) as seen:
        ranker.look(image)
    processor = transformers.Tipsv2ImageProcessor.from_pretrained(folder)
    theirs = processor(image, return_tensors="pt", input_data_format="channels_last").pixel_values
    torch.testing.assert_close(seen[0], theirs, atol=1 / 255 + 1e-6, rtol=0)


def test_a_red_picture_reaches_the_model_red(ranker: GridRanker) -> None:
    with inputs_of(encoder_of(ranker).model.vision_model.embeddings) as seen:
        ranker.look(red(3, 17))
    assert_is_red(seen[0], [0, 0, 0], [1, 1, 1])


def test_ranks_by_cosines_over_the_models_own_temperature(
    ranker: GridRanker, plain: transformers.Tipsv2Model, folder: Path
) -> None:
    """A mask of all cells of one row, so that its mean is taken by hand."""
    mask = np.zeros((56, 56), np.bool_)
    mask[14:28] = True
    image, words = noise(56, 56), list(WORDS[:4])
    view = ranker.look(image)
    (ranking,) = ranker.rank(view, [encode(mask)], [words])
    cells = plain_cells(plain, torch.from_numpy(image.transpose(2, 0, 1).copy())[None] / 255)
    row = functional.normalize(cells[0, 2 + 4 : 2 + 8], dim=-1).mean(dim=0)
    tokens = transformers.AutoTokenizer.from_pretrained(folder)(
        words, padding="max_length", max_length=64, return_tensors="pt"
    )
    with torch.inference_mode():
        texts = plain.get_text_features(tokens.input_ids, tokens.attention_mask).pooler_output
        cosines = functional.cosine_similarity(row[None], texts)
        expected = (cosines / plain.temperature).softmax(0).tolist()
    found = {one.label: one.score for one in ranking}
    assert found == pytest.approx(dict(zip(words, expected, strict=True)), abs=2e-3)
    assert max(expected) < 0.999


def test_padding_changes_what_a_text_says_by_rounding_only(
    ranker: GridRanker, plain: transformers.Tipsv2Model, folder: Path
) -> None:
    encoder = encoder_of(ranker)
    assert {word: encoder.padded_length(word) for word in WORDS} == {
        word: 64 if len(word) > SHORT_TEXT - 1 else SHORT_TEXT for word in WORDS
    }
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    for word in WORDS:
        tokens = tokenizer([word], truncation=True, max_length=64, return_tensors="pt")
        with torch.inference_mode():
            theirs = plain.get_text_features(tokens.input_ids, tokens.attention_mask).pooler_output
            (mine,) = encoder.encode_labels([word])
        torch.testing.assert_close(mine, theirs[0], atol=1e-5, rtol=1e-4)


def test_a_labels_embedding_is_the_same_to_the_bit_whatever_is_asked_beside_it(
    ranker: GridRanker,
) -> None:
    encoder = encoder_of(ranker)
    with torch.inference_mode():
        alone = {word: ranker._encode_labels([word] * TEXT_BATCH)[0] for word in WORDS}
        cache = LabelCache[torch.Tensor](
            ranker._encode_labels, 3, TEXT_BATCH, encoder.padded_length
        )
        for request in (WORDS[:3], WORDS[2:], WORDS):
            for word, embedding in zip(request, cache.get(request), strict=True):
                assert torch.equal(embedding, alone[word])


def test_twice_the_side_has_four_times_the_cells(folder: Path, ranker: GridRanker) -> None:
    image = noise(90, 121)
    assert ranker.look(image).cells.shape[:2] == (3, 5)
    assert load_tipsv2(folder, CPU, 112).look(image).cells.shape[:2] == (7, 9)
    with pytest.raises(WeightsError, match="side_px must be a multiple of the patch, 14; got 100"):
        load_tipsv2(folder, CPU, 100)


def test_its_weights_are_counted(ranker: GridRanker, folder: Path) -> None:
    on_the_disk = (folder / "model.safetensors").stat().st_size
    assert weight_bytes([ranker]) == pytest.approx(on_the_disk, rel=0.1)


def test_half_precision_says_much_the_same(folder: Path, ranker: GridRanker) -> None:
    half = load_tipsv2(folder, Placement(torch.device("cpu"), torch.bfloat16))
    mine, theirs = (one.look(noise(90, 121)).cells for one in (half, ranker))
    assert mine.dtype == torch.float32
    assert (mine * theirs).sum(-1).min() > 0.98


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("model.safetensors", b"rubbish"),
        ("config.json", b"rubbish"),
        ("preprocessor_config.json", None),
        ("tokenizer.json", None),
    ],
)
def test_a_damaged_folder_is_told(
    folder: Path, tmp_path: Path, name: str, broken: bytes | None
) -> None:
    shutil.copytree(folder, tmp_path / "clip")
    path = tmp_path / "clip" / name
    path.write_bytes(broken) if broken is not None else path.unlink()
    with pytest.raises(WeightsError, match=r"TIPSv2: .*clip"):
        load_tipsv2(tmp_path / "clip", CPU)
