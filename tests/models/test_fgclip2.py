"""FG-CLIP 2 against transformers' SigLIP 2 and a plain reading of what stands around it."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

from ssa.device import Placement
from ssa.errors import WeightsError
from ssa.masks.run_lengths import encode
from ssa.models.fgclip2 import SIDE_PX, FgClip2Encoder, load_fgclip2
from ssa.models.shared.dense import TEXT_BATCH, GridRanker, grid_for
from tests.models.checkpoints import write_fgclip2
from tests.models.spying import assert_is_red, inputs_of, noise, red

CPU = Placement(torch.device("cpu"), torch.float32)
WORDS = ("dog", "Red Car", "steering wheel of a car")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fgclip2")
    write_fgclip2(path)
    return path


@pytest.fixture(scope="module")
def ranker(folder: Path) -> GridRanker:
    return load_fgclip2(folder, CPU, 64)


@pytest.fixture(scope="module")
def plain(folder: Path) -> transformers.Siglip2Model:
    return transformers.Siglip2Model.from_pretrained(folder).eval()


def encoder_of(ranker: GridRanker) -> FgClip2Encoder:
    assert isinstance(ranker._encoder, FgClip2Encoder)
    return ranker._encoder


def plain_cells(
    folder: Path, plain: transformers.Siglip2Model, image: torch.Tensor
) -> tuple[torch.Tensor, tuple[int, int]]:
    """(cells, D) as the published code says, cell by cell, and their rows and columns."""
    processor = transformers.Siglip2ImageProcessor.from_pretrained(folder)
    inputs = processor(image, max_num_patches=16, return_tensors="pt")
    rows, columns = inputs.spatial_shapes[0].tolist()
    with torch.inference_mode():
        states = plain.vision_model(**inputs).last_hidden_state[:, : rows * columns]
        weights = load_file(folder / "model.safetensors")
        part = {
            name.removeprefix("dense_feature_head."): tensor
            for name, tensor in weights.items()
            if name.startswith("dense_feature_head.")
        }
        found = [_asked(states[:, i : i + 1], states, part, heads=2) for i in range(rows * columns)]
    return torch.cat(found), (rows, columns)


def _asked(
    own: torch.Tensor, states: torch.Tensor, part: dict[str, torch.Tensor], heads: int
) -> torch.Tensor:
    """(1, D): what one cell hears of all."""
    attention = nn.MultiheadAttention(own.shape[-1], heads, batch_first=True)
    kept = {n.removeprefix("attention."): t for n, t in part.items() if n.startswith("attention.")}
    attention.load_state_dict(kept)
    heard = attention(own, states, states)[0][0]
    normed = functional.layer_norm(
        heard, heard.shape[-1:], part["layernorm.weight"], part["layernorm.bias"], 1e-6
    )
    inner = functional.linear(normed, part["mlp.fc1.weight"], part["mlp.fc1.bias"])
    outer = functional.gelu(inner, approximate="tanh")
    return heard + functional.linear(outer, part["mlp.fc2.weight"], part["mlp.fc2.bias"])


# Sizes at which neither has anything to resize, or to round.
@pytest.mark.parametrize("size_hw", [(64, 64), (128, 32), (32, 128)])
def test_same_cells_as_the_published_code_says(
    ranker: GridRanker, folder: Path, plain: transformers.Siglip2Model, size_hw: tuple[int, int]
) -> None:
    image = noise(*size_hw)
    theirs, grid = plain_cells(folder, plain, torch.from_numpy(image.transpose(2, 0, 1).copy()))
    with torch.inference_mode():
        mine = encoder_of(ranker).encode_cells(image)
    assert mine.shape[:2] == grid
    theirs = functional.normalize(theirs, dim=-1)
    torch.testing.assert_close(mine.flatten(0, 1), theirs, atol=1e-5, rtol=1e-4)
    assert mine.flatten(0, 1).std(dim=0).mean() > 0.02


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 50), (333, 70), (90, 121)])
def test_pictures_of_any_size_keep_their_shape(
    ranker: GridRanker, size_hw: tuple[int, int]
) -> None:
    rows, columns, _ = ranker.look(noise(*size_hw)).cells.shape
    assert (rows, columns) == grid_for(*size_hw, 4)


def test_same_texts_as_the_published_code_says(
    ranker: GridRanker, folder: Path, plain: transformers.Siglip2Model
) -> None:
    weights = load_file(folder / "model.safetensors")
    letters = {letter: 5 + i for i, letter in enumerate("abcdefghijklmnopqrstuvwxyz")} | {" ": 4}
    for word in WORDS:
        tokens = [*[letters[letter] for letter in word.lower()][:23], 1]
        ids = torch.tensor([tokens + [0] * (24 - len(tokens))])
        with torch.inference_mode():
            last = plain.text_model(input_ids=ids).last_hidden_state[0, -1]
            theirs = functional.linear(
                last, weights["boxtext_head.weight"], weights["boxtext_head.bias"]
            )
            (mine,) = encoder_of(ranker).encode_labels([word])
        torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-4)


def test_ranks_by_cosines_times_its_own_scale(ranker: GridRanker) -> None:
    mask = np.zeros((64, 64), np.bool_)
    mask[16:32] = True
    view = ranker.look(noise(64, 64))
    (ranking,) = ranker.rank(view, [encode(mask)], [WORDS])
    row = view.cells[1].mean(dim=0)
    with torch.inference_mode():
        texts = torch.stack(
            [encoder_of(ranker).encode_labels([word] * TEXT_BATCH)[0] for word in WORDS]
        )
    cosines = functional.cosine_similarity(row[None], texts)
    expected = (cosines * np.exp(3)).softmax(0).tolist()
    found = {one.label: one.score for one in ranking}
    assert found == pytest.approx(dict(zip(WORDS, expected, strict=True)), abs=1e-4)


def test_a_red_picture_reaches_the_model_red(ranker: GridRanker) -> None:
    with inputs_of(encoder_of(ranker).model.vision_model.embeddings) as seen:
        ranker.look(red(3, 17))
    assert_is_red(seen[0].view(-1, 3)[..., None, None], [0.5] * 3, [0.5] * 3)


def test_what_only_long_texts_need_is_left_aside_without_a_word(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        ranker = load_fgclip2(folder, CPU)
    assert not caplog.records
    assert ranker.look(noise(20, 20)).cells.shape[:2] == (SIDE_PX // 16, SIDE_PX // 16)


def test_half_precision_says_much_the_same(folder: Path, ranker: GridRanker) -> None:
    half = load_fgclip2(folder, Placement(torch.device("cpu"), torch.bfloat16), 64)
    mine, theirs = (one.look(noise(90, 121)).cells for one in (half, ranker))
    assert mine.dtype == torch.float32
    assert (mine * theirs).sum(-1).min() > 0.98


def test_a_side_must_be_of_whole_patches(folder: Path) -> None:
    with pytest.raises(WeightsError, match="side_px must be a multiple of the patch, 16; got 100"):
        load_fgclip2(folder, CPU, 100)


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("model.safetensors", b"rubbish"),
        ("config.json", b"rubbish"),
        ("tokenizer.json", None),
        ("tokenizer.json", b"{}"),
    ],
)
def test_a_damaged_folder_is_told(
    folder: Path, tmp_path: Path, name: str, broken: bytes | None
) -> None:
    shutil.copytree(folder, tmp_path / "clip")
    path = tmp_path / "clip" / name
    path.write_bytes(broken) if broken is not None else path.unlink()
    with pytest.raises(WeightsError, match=r"FG-CLIP 2: .*clip"):
        load_fgclip2(tmp_path / "clip", CPU)
