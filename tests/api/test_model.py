"""The public door, on the real miniature: pictures of every kind in, results out, nobody misled."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import ssa
from ssa.api.many import TOGETHER
from ssa.errors import ImageError, InputError, WeightsError
from tests.server import picture_png

FEW = {"points_per_side": 6}


@pytest.fixture(scope="module")
def model() -> ssa.Model:
    return ssa.load("tiny", "cpu")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    path.write_bytes(picture_png())
    return path


def test_loading_says_once_which_bundle_speaks_and_what_brings_a_better_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, logger="ssa"):
        bundle = ssa.load("tiny", "cpu").bundle
    assert (bundle.name, bundle.remedy) == ("tiny", "./scripts/download_weights light")
    said = [one for one in caplog.records if str(bundle) in one.getMessage()]
    assert [one.levelname for one in said] == ["WARNING"]
    assert "drawn scenes only" in str(bundle)
    assert "download_weights light" in str(bundle)


def test_what_isnt_there_is_refused_with_its_remedy() -> None:
    with pytest.raises(WeightsError, match="download_weights base"):
        ssa.load("base")
    with pytest.raises(ValueError, match="dtype must be one of"):
        ssa.load("tiny", dtype="int3")
    with pytest.raises(ValueError, match="device must be cpu, cuda"):
        ssa.load("tiny", device="gpu")
    with pytest.raises(WeightsError, match="expected a folder of bundles; got"):
        ssa.load("tiny", weights="gone")


def test_a_path_an_image_and_an_array_are_the_same_picture(model: ssa.Model, path: Path) -> None:
    with Image.open(path) as image:
        results = [
            model.annotate(picture, **FEW)
            for picture in (path, str(path), image, np.asarray(image.convert("RGB")))
        ]
    assert len({result.to_json(detail=True) for result in results}) == 1
    assert len(results[0]) > 1


@pytest.mark.parametrize(
    ("picture", "text"),
    [
        (np.zeros((4, 4), np.uint8), r"shape \(H, W, 3\); got uint8 of shape \(4, 4\)"),
        (np.zeros((4, 4, 3), np.float32), "got float32"),
        (np.zeros((0, 4, 3), np.uint8), "at least 1 × 1 pixel"),
        (7, "a path, a Pillow image or an RGB uint8 array; got a value of type int"),
        ("no such.png", "a name with no file behind it"),
        (Image.new("RGB", (0, 3)), "at least 1 × 1 pixel"),
    ],
)
def test_what_is_no_picture_is_one_line(model: ssa.Model, picture: Any, text: str) -> None:
    with pytest.raises(ImageError, match=text) as caught:
        model.annotate(picture)
    assert "\n" not in str(caught.value)


def test_inputs_are_the_servers(model: ssa.Model, path: Path) -> None:
    with pytest.raises(
        TypeError, match=r"expected inputs called mask_source, .*top_k.*; got 'topk'"
    ):
        model.annotate(path, topk=3)
    with pytest.raises(InputError, match="top_k must be a whole number from 1 to 10; got 20"):
        model.annotate(path, top_k=20)
    with pytest.raises(InputError, match="segmentor belongs to labels 'closed-set'"):
        model.annotate(path, segmentor="coco")


def test_a_vocabulary_may_be_a_list_of_its_lines(model: ssa.Model, path: Path) -> None:
    asked = {"unknown_below": 0, **FEW}
    listed = model.annotate(path, vocabulary=["ball: disc", "grass"], **asked)
    text = model.annotate(path, vocabulary="ball: disc\ngrass", **asked)
    assert listed.to_json() == text.to_json()
    assert {region.class_name for region in listed} <= {"ball", "grass"}
    with pytest.raises(InputError, match="vocabulary must be a text"):
        model.annotate(path, vocabulary=["ball", 3])


def test_many_pictures_come_in_order_each_as_if_alone(model: ssa.Model) -> None:
    rng = np.random.default_rng(3)
    pictures = [
        rng.integers(0, 255, (40, 40 + number, 3), np.uint8) for number in range(TOGETHER + 1)
    ]
    results = list(model.annotate_all(iter(pictures), labels="none", **FEW))
    assert [result.picture.shape[1] for result in results] == [40, 41, 42, 43, 44]
    alone = model.annotate(pictures[2], labels="none", **FEW)
    assert results[2].to_json() == alone.to_json()
    assert list(model.annotate_all([])) == []


def test_inputs_are_checked_at_once_and_a_bad_picture_in_its_turn(
    model: ssa.Model, path: Path
) -> None:
    with pytest.raises(InputError, match="labels must be one of"):
        model.annotate_all([], labels="names")
    results = model.annotate_all([path, "no such.png", path], labels="none", **FEW)
    assert len(next(results)) > 0
    with pytest.raises(ImageError, match="no file behind it"):
        next(results)


def test_semantic_sam_without_its_weights_is_refused_before_the_work(model: ssa.Model) -> None:
    assert repr(model) == "<ssa.Model tiny on cpu>"
    assert model.annotate_all([], mask_source="semantic-sam") is not None  # the miniature has them
