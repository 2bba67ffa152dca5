"""One look, any number of questions: against plain loops over pixels and regions."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from ssa.config import ClusterSettings
from ssa.labelling.clustering import mask_embeddings
from ssa.masks.proposal import proposal_of
from ssa.masks.run_lengths import encode
from ssa.models.shared import dense as module
from ssa.models.shared.dense import FINER, TEXT_BATCH, GridRanker, Look, grid_for
from ssa.types import RLE, BoolMask, ImageEmbedding, RGBImage, ScoredLabel

WORDS = ("dog", "cat", "a tree", "red car", "sky")
ROWS, COLUMNS, NUMBERS = 3, 5, 8
PLAIN_MEAN = ClusterSettings(weighting="share", standardised=False)


class MadeUpEncoder:
    """Cells and words are random directions, the same for every picture; counts what it is asked."""

    scale = 20.0

    def __init__(self) -> None:
        self.model = nn.Identity()
        rng = np.random.default_rng(3)
        self.cells = torch.from_numpy(rng.normal(size=(ROWS, COLUMNS, NUMBERS)).astype(np.float32))
        self.words = {word: rng.normal(size=NUMBERS).astype(np.float32) for word in WORDS}
        self.looks = 0
        self.encoded: list[str] = []

    def encode_cells(self, image: RGBImage) -> torch.Tensor:
        self.looks += 1
        return functional.normalize(self.cells, dim=-1)

    def finish(self, pooled: torch.Tensor) -> torch.Tensor:
        return pooled

    def encode_labels(self, labels: list[str]) -> Sequence[torch.Tensor]:
        self.encoded += labels
        return [torch.from_numpy(self.words[label]) for label in labels]

    def padded_length(self, label: str) -> int:
        return 4


@pytest.fixture
def encoder() -> MadeUpEncoder:
    return MadeUpEncoder()


def some_masks(height: int, width: int, seed: int) -> list[BoolMask]:
    """A blob, scattered pixels, a single one in the last corner, and all of the picture."""
    rng = np.random.default_rng(seed)
    masks = [np.zeros((height, width), np.bool_) for _ in range(3)]
    masks[0][height // 3 : height // 3 + 4, width // 4 : width // 2 + 1] = True
    masks[1][rng.random((height, width)) < 0.2] = True
    masks[2][-1, -1] = True
    return [*masks, np.ones((height, width), np.bool_)]


def rles(masks: Sequence[BoolMask]) -> list[RLE]:
    return [encode(mask) for mask in masks]


def unit(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(values / np.linalg.norm(values, axis=-1, keepdims=True), np.float32)


def by_label(scores: Sequence[ScoredLabel]) -> dict[str, float]:
    return {one.label: one.score for one in scores}


@pytest.mark.parametrize("size_hw", [(31, 47), (9, 120), (200, 11), (3, 5), (1, 2)])
def test_ranks_as_plain_means_of_directions(
    encoder: MadeUpEncoder, size_hw: tuple[int, int]
) -> None:
    ranker = GridRanker(encoder)
    masks = [mask for mask in some_masks(*size_hw, seed=1) if mask.any()]
    asked = [WORDS[:2], WORDS[1:], WORDS[:1], WORDS][: len(masks)]
    view = ranker.look(np.zeros((*size_hw, 3), np.uint8))
    directions = unit(encoder.cells.numpy()).transpose(2, 0, 1)
    embedding = ImageEmbedding(np.ascontiguousarray(directions), (ROWS, COLUMNS))
    proposals = [proposal_of(mask) for mask in masks]
    means = unit(mask_embeddings(embedding, proposals, PLAIN_MEAN))
    for mean, own, ranking in zip(means, asked, ranker.rank(view, rles(masks), asked), strict=True):
        powers = np.exp([mean @ unit(encoder.words[word]) * encoder.scale for word in own])
        expected = dict(zip(own, (powers / powers.sum()).tolist(), strict=True))
        assert by_label(ranking) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("size_hw", [(31, 47), (9, 120), (ROWS * FINER, COLUMNS * FINER)])
def test_chooses_as_counting_pixel_by_pixel(
    encoder: MadeUpEncoder, size_hw: tuple[int, int]
) -> None:
    ranker, masks = GridRanker(encoder), some_masks(*size_hw, seed=2)
    asked = [WORDS[:2], WORDS[1:], WORDS[2:], WORDS]
    view = ranker.look(np.zeros((*size_hw, 3), np.uint8))
    similar = {
        word: cv2.resize(
            unit(encoder.cells.numpy()) @ unit(encoder.words[word]),
            (COLUMNS * FINER, ROWS * FINER),
            interpolation=cv2.INTER_LINEAR,
        )
        for word in WORDS
    }
    chosen = ranker.choose(view, rles(masks), asked)
    for mask, own, shares in zip(masks, asked, chosen, strict=True):
        winner = np.stack([similar[word] for word in own]).argmax(0)
        # Each place is as many squares as the picture has pixels, and the other way round.
        places = np.kron(winner, np.ones(mask.shape, np.int64))
        pixels = np.kron(mask, np.ones(winner.shape, np.bool_))
        counts = np.bincount(places[pixels], minlength=len(own))
        expected = dict(zip(own, (counts / counts.sum()).tolist(), strict=True))
        assert by_label(shares) == pytest.approx(expected, abs=1e-5)
        assert [one.score for one in shares] == sorted((one.score for one in shares), reverse=True)


def test_few_at_a_time_choose_the_same(
    encoder: MadeUpEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranker, masks = GridRanker(encoder), rles(some_masks(31, 47, seed=2))
    view, asked = ranker.look(np.zeros((31, 47, 3), np.uint8)), [WORDS[:n] for n in (2, 5, 1, 3)]
    whole = ranker.choose(view, masks, asked)
    monkeypatch.setattr(module, "NUMBERS_AT_ONCE", 1)
    assert ranker.choose(view, masks, asked) == whole


def test_equals_go_to_the_first(encoder: MadeUpEncoder) -> None:
    encoder.words["cat"] = encoder.words["dog"]
    ranker, masks = GridRanker(encoder), rles(some_masks(31, 47, seed=2))[:1]
    view = ranker.look(np.zeros((31, 47, 3), np.uint8))
    for pair in (("dog", "cat"), ("cat", "dog")):
        assert [one.label for one in ranker.rank(view, masks, [pair])[0]] == [*pair]
        (shares,) = ranker.choose(view, masks, [pair])
        assert [(one.label, one.score) for one in shares] == [(pair[0], 1.0), (pair[1], 0.0)]


def test_a_mask_without_a_pixel_is_the_whole_picture(encoder: MadeUpEncoder) -> None:
    ranker = GridRanker(encoder)
    view = ranker.look(np.zeros((31, 47, 3), np.uint8))
    both = rles([np.zeros((31, 47), np.bool_), np.ones((31, 47), np.bool_)])
    for nothing, everything in (
        ranker.rank(view, both, [WORDS] * 2),
        ranker.choose(view, both, [WORDS] * 2),
    ):
        assert by_label(nothing) == pytest.approx(by_label(everything), abs=1e-6)


def test_the_best_few_of_many(encoder: MadeUpEncoder) -> None:
    ranker, masks = GridRanker(encoder), rles(some_masks(31, 47, seed=2))
    view = ranker.look(np.zeros((31, 47, 3), np.uint8))
    every = ranker.rank(view, masks, [WORDS] * 4)
    assert ranker.rank(view, masks, [WORDS] * 4, most=2) == [own[:2] for own in every]


def test_texts_are_encoded_once_and_masks_need_no_further_look(encoder: MadeUpEncoder) -> None:
    ranker, masks = GridRanker(encoder), rles(some_masks(31, 47, seed=2))
    view = ranker.look(np.zeros((31, 47, 3), np.uint8))
    ranker.rank(view, masks, [WORDS] * 4)
    ranker.choose(view, masks, [WORDS[:3]] * 4)
    assert encoder.looks == 1
    assert len(encoder.encoded) == TEXT_BATCH  # Filled up.
    assert set(encoder.encoded) == set(WORDS)


def test_nobody_asked_nothing_said(encoder: MadeUpEncoder) -> None:
    ranker = GridRanker(encoder)
    view = ranker.look(np.zeros((31, 47, 3), np.uint8))
    assert ranker.rank(view, [], []) == ranker.choose(view, [], []) == []
    assert isinstance(view, Look)


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 64))
def test_a_grid_has_about_as_many_cells_whatever_the_shape(
    height: int, width: int, cells: int
) -> None:
    rows, columns = grid_for(height, width, cells)
    assert rows >= 1
    assert columns >= 1
    assert rows * columns <= 1.5 * cells**2 + 1
    assert grid_for(height, height, cells) == (cells, cells)
    if 1 / 3 < height / width < 3 and cells >= 8:
        assert height / width == pytest.approx(rows / columns, rel=0.25)


@given(st.integers(1, 30_000), st.integers(1, 64))
def test_a_grid_over_a_strip_has_no_more_places_along_it(long: int, cells: int) -> None:
    (rows, columns), turned = grid_for(1, long, cells), grid_for(long, 1, cells)
    assert columns <= 5 * cells
    assert turned[0] <= 5 * cells
    assert rows * columns <= 1.5 * cells**2 + 1
