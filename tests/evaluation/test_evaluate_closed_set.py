"""The closed-set evaluation: its scores against an independent count, and what it does with bad files."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from fakes import FakeProposer, squares, stages
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from evaluation import __main__ as command_line
from evaluation import closed_set
from evaluation.closed_set import ALONE, WITH_MASKS, Coarse, Evaluation, evaluate
from evaluation.datasets import DATASETS, IGNORED, Sample
from evaluation.metrics import PixelScores, confusion_of
from ssa.config import MaskSettings, Settings
from ssa.device import choose_placement
from ssa.engine import Engine
from ssa.errors import InputError, OutOfMemory
from ssa.loading import LoadedEngine
from ssa.pictures.canvas import Canvas
from ssa.types import LabelMap, RGBImage
from tests.evaluation.made_up import HEIGHT, LAYOUTS, WIDTH
from toyworld.unseen import scenes


class Seeded:
    """A segmentor whose opinion is noise, the same for the same picture."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.labels = labels

    def segment(
        self, image: RGBImage | Canvas, *, coarse: bool = False, plain: bool = False
    ) -> LabelMap:
        rng = np.random.default_rng(int(Canvas.of(image).pixels.sum()))
        ids = rng.integers(0, min(20, len(self.labels)), image.shape[:2]).astype(np.int16)
        return LabelMap("seeded", ids, self.labels)


def counted_plainly(
    pairs: list[tuple[NDArray[np.uint8], NDArray[np.int16]]], classes: int
) -> tuple[float, float, float]:
    """mIoU, aAcc and mAcc by loops over classes and pixels of sets."""
    truth = np.concatenate([ids.ravel() for ids, _ in pairs]).astype(int)
    found = np.concatenate([ids.ravel() for _, ids in pairs]).astype(int)
    found, truth = found[truth != 255], truth[truth != 255]
    ious, accuracies = [], []
    for number in range(classes):
        true, predicted = truth == number, found == number
        if (true | predicted).any():
            ious.append((true & predicted).sum() / (true | predicted).sum())
        if true.any():
            accuracies.append((true & predicted).sum() / true.sum())
    return float(np.mean(ious)), float((truth == found).mean()), float(np.mean(accuracies))


@pytest.mark.parametrize("name", LAYOUTS)
def test_scores_equal_an_independent_count(tmp_path: Path, name: str) -> None:
    images, truths, meaning = LAYOUTS[name](tmp_path)
    dataset = DATASETS[name]
    segmentor, masks = Seeded(dataset.labels), squares(HEIGHT, WIDTH, 8)
    evaluation = Evaluation(segmentor, FakeProposer(masks), MaskSettings(), len(dataset.labels))
    samples = dataset.find(images, truths)
    assert evaluate(evaluation, iter(samples), len(samples)) == 0
    alone, with_masks = [], []
    for sample in samples:
        ids = segmentor.segment(sample.read()[0]).class_ids
        alone.append((meaning[sample.name], ids))
        painted = ids.copy()
        for mask in masks:
            painted[mask] = np.bincount(ids[mask]).argmax()
        with_masks.append((meaning[sample.name], painted))
    report = evaluation.report()
    for way, pairs in (("segmentor", alone), ("with_masks", with_masks)):
        expected = counted_plainly(pairs, len(dataset.labels))
        got = tuple(report[f"{way}.{score}"] for score in ("miou", "aacc", "macc"))
        assert got == pytest.approx(expected)
    assert report["pictures"] == len(samples)
    assert report["masks.per_picture"] == len(masks)


def test_confusions_equal_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    truth, found = rng.integers(0, 9, (2, 40, 50))
    truth[rng.random(truth.shape) < 0.2] = IGNORED
    counted = truth != IGNORED
    expected = confusion_matrix(truth[counted], found[counted], labels=range(12))
    np.testing.assert_array_equal(confusion_of(truth, found, 12, IGNORED), expected)


def test_scores_by_hand() -> None:
    # Truth: 4 pixels of class 0, 2 of class 1; one pixel is taken for class 2; class 3 is nowhere.
    scores = PixelScores.of(np.array([[3, 0, 1, 0], [1, 1, 0, 0], [0] * 4, [0] * 4]))
    assert scores.ious[:3].tolist() == pytest.approx([3 / 5, 1 / 2, 0])
    assert np.isnan(scores.ious[3])
    assert scores.miou == pytest.approx((3 / 5 + 1 / 2 + 0) / 3)
    assert scores.aacc == pytest.approx(4 / 6)
    assert scores.macc == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert np.isnan(PixelScores.of(np.zeros((3, 3), np.int64)).miou)


def test_masks_that_are_the_truth_mend_a_coarse_segmentor() -> None:
    truth = np.zeros((64, 64), np.uint8)
    truth[10:43, 11:50] = 1
    scores = torch.nn.functional.one_hot(torch.from_numpy(truth).long(), 2).permute(2, 0, 1)
    coarse = Coarse(lambda image: scores.float(), ("sky", "kite"), 4)
    evaluation = Evaluation(coarse, FakeProposer([truth == 1, truth == 0]), MaskSettings(), 2)
    evaluation.see(np.zeros((64, 64, 3), np.uint8), truth)
    assert evaluation.scores()[ALONE].miou < 0.95
    assert evaluation.scores()[WITH_MASKS].miou == 1


@pytest.mark.parametrize(("size_hw", "cells"), [((64, 32), (4, 2)), ((9, 300), (1, 4))])
def test_coarse_cells_are_nearly_square(size_hw: tuple[int, int], cells: tuple[int, int]) -> None:
    scores = torch.rand(5, 40, 30, generator=torch.Generator().manual_seed(1))
    coarse = Coarse(lambda image: scores, tuple("abcde"), 4)
    found = coarse.segment(np.zeros((*size_hw, 3), np.uint8)).class_ids
    averaged = torch.nn.functional.adaptive_avg_pool2d(scores, cells)
    best = torch.nn.functional.interpolate(averaged[None], size_hw, mode="bilinear")[0].argmax(0)
    np.testing.assert_array_equal(found, best)


def test_a_picture_that_fails_is_told_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    def read(error: Exception | None) -> tuple[RGBImage, NDArray[np.uint8]]:
        if error:
            raise error
        return np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8)

    evaluation = Evaluation(Seeded(("a", "b")), FakeProposer([]), MaskSettings(), 2)
    errors = [None, InputError("no truth"), OutOfMemory("too large"), None]
    samples = [Sample(f"picture {i}", lambda e=e: read(e)) for i, e in enumerate(errors)]
    assert evaluate(evaluation, iter(samples), len(samples)) == 2
    assert evaluation.report()["pictures"] == 2
    told = capsys.readouterr().err
    assert "picture 1: no truth\n" in told
    assert "picture 2: too large\n" in told


def options(*arguments: str) -> argparse.Namespace:
    return command_line.parser().parse_args(["closed-set", *arguments])


def test_the_command_line_finds_runs_and_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    images, truths, _ = LAYOUTS["cityscapes"](tmp_path)
    mine = {"mine": Seeded(DATASETS["cityscapes"].labels)}
    doubles = replace(stages(squares(HEIGHT, WIDTH, 8)), closed_set=mine)
    doubles = replace(doubles, proposers={"sam": doubles.proposers["sam"]})
    settings, placement = Settings(segmentor="mine"), choose_placement("cpu")
    loaded = LoadedEngine(Engine(doubles), doubles, settings, None, placement)
    monkeypatch.setattr(closed_set, "load", lambda arguments: loaded)
    where = ("--dataset", "cityscapes", "--images", str(images), "--truth", str(truths))
    given = options(*where, "--json", str(tmp_path / "figures.json"))
    assert given.run(given) == 0
    assert json.loads((tmp_path / "figures.json").read_text())["pictures"] == 4
    next(truths.rglob("*labelTrainIds.png")).write_bytes(b"")
    assert given.run(given) == 1
    assert json.loads((tmp_path / "figures.json").read_text())["failed"] == 1
    assert "1 of 4 pictures failed" in capsys.readouterr().err
    other = options(*where, "--masks", "semantic-sam")
    with pytest.raises(InputError, match="mask_source must be one whose weights are there"):
        other.run(other)


def test_evaluation_paints_as_the_engine_does() -> None:
    labels, picture = DATASETS["cityscapes"].labels, np.full((HEIGHT, WIDTH, 3), 7, np.uint8)
    doubles = replace(stages(squares(HEIGHT, WIDTH, 8)), closed_set={"mine": Seeded(labels)})
    settings = Settings(label_mode="closed-set", segmentor="mine")
    expected = Engine(doubles).annotate(picture, settings).label_map
    evaluation = Evaluation(
        Seeded(labels), doubles.proposers["sam"], settings.masks["sam"], len(labels)
    )
    painted = evaluation.see(picture, np.zeros((HEIGHT, WIDTH), np.uint8))
    assert expected is not None
    np.testing.assert_array_equal(painted.class_ids, expected.class_ids)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--dataset", "ade20k"), "--images FOLDER for ade20k; got None"),
        (("--dataset", "ade20k", "--images", "."), "--truth FOLDER for ade20k"),
        (("--dataset", "ade20k", "--images", "none", "--truth", "."), "got none"),
        (("--dataset", "cityscapes", "--images", "EMPTY", "--truth", "EMPTY"), "found none"),
    ],
)
def test_folders_without_pictures_are_refused(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    given = options(*(str(tmp_path) if one == "EMPTY" else one for one in arguments))
    with pytest.raises(InputError, match=message):
        given.run(given)


def test_drawn_scenes_come_with_their_own_truth() -> None:
    (sample,) = closed_set.drawn_samples(1, 4)
    scene = next(scenes(1, 4))[0]
    image, truth = sample.read()
    np.testing.assert_array_equal(image, scene.image)
    np.testing.assert_array_equal(truth, scene.ade20k)
