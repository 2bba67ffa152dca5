"""Published layouts: each picture finds its truth, and the truth is read by the dataset's rule."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evaluation.datasets import CITYSCAPES, DATASETS, check_classes
from ssa.errors import InputError
from ssa.labelling.labels import load_labels
from ssa.pictures.decoding import decode_image
from tests.evaluation.made_up import HEIGHT, LAYOUTS, WIDTH


@pytest.mark.parametrize("name", LAYOUTS)
def test_pictures_find_their_truth(tmp_path: Path, name: str) -> None:
    images, truths, meaning = LAYOUTS[name](tmp_path)
    samples = DATASETS[name].find(images, truths)
    assert [sample.name for sample in samples] == sorted(meaning)
    for sample in samples:
        image, ids = sample.read()
        np.testing.assert_array_equal(image, decode_image(images / sample.name))
        np.testing.assert_array_equal(ids, meaning[sample.name])
        assert ids.dtype == np.uint8


def test_folders_may_be_given_from_any_level_on(tmp_path: Path) -> None:
    images, truths, meaning = LAYOUTS["cityscapes"](tmp_path)
    (first, _) = DATASETS["cityscapes"].find(images / "val/lindau", truths.parent)
    assert first.name == "lindau_000000_000019_leftImg8bit.png"
    np.testing.assert_array_equal(first.read()[1], meaning[f"val/lindau/{first.name}"])


def test_fine_truth_is_preferred(tmp_path: Path) -> None:
    images, root, meaning = LAYOUTS["foggy-driving"](tmp_path)
    coarse = Image.fromarray(np.full((HEIGHT, WIDTH), 3, np.uint8))
    coarse.save(root / "gtCoarse/test_extra/web/public_a1_b2_gtCoarse_labelTrainIds.png")
    sample = DATASETS["foggy-driving"].find(images, root)[0]
    np.testing.assert_array_equal(sample.read()[1], meaning[sample.name])


def ade_sample(root: Path) -> tuple[Path, Path]:
    images, truths, _ = LAYOUTS["ade20k"](root)
    name = "validation/ADE_val_00000001"
    return images / f"{name}.jpg", truths / f"{name}.png"


def read_first(root: Path) -> None:
    DATASETS["ade20k"].find(root / "images", root / "annotations")[0].read()


def test_truth_that_is_not_there(tmp_path: Path) -> None:
    ade_sample(tmp_path)[1].unlink()
    with pytest.raises(InputError, match=r"truth in ADE_val_00000001\.png; it is not there"):
        read_first(tmp_path)


@pytest.mark.parametrize("data", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_truth_that_is_no_png(tmp_path: Path, data: bytes) -> None:
    ade_sample(tmp_path)[1].write_bytes(data)
    with pytest.raises(InputError, match="can't be read"):
        read_first(tmp_path)


def test_truth_cut_short(tmp_path: Path) -> None:
    truth = ade_sample(tmp_path)[1]
    truth.write_bytes(truth.read_bytes()[:-200])
    with pytest.raises(InputError, match="can't be read"):
        read_first(tmp_path)


def test_truth_in_colour_or_of_another_size_or_range(tmp_path: Path) -> None:
    truth = ade_sample(tmp_path)[1]
    wrong = {
        "class ids of 8 bits a pixel; .* is RGB": np.zeros((HEIGHT, WIDTH, 3), np.uint8),
        "the picture's size": np.zeros((HEIGHT, WIDTH + 1), np.uint8),
        "below 150, or 255; got 150": np.full((HEIGHT, WIDTH), 151, np.uint8),
    }
    for message, pixels in wrong.items():
        Image.fromarray(pixels).save(truth)
        with pytest.raises(InputError, match=message):
            read_first(tmp_path)


def test_a_damaged_picture(tmp_path: Path) -> None:
    ade_sample(tmp_path)[0].write_bytes(b"\xff\xd8 no")
    with pytest.raises(InputError):
        read_first(tmp_path)


def test_ade20ks_0_and_a_255_are_both_ignored(tmp_path: Path) -> None:
    ids = np.resize(np.array([0, 1, 150, 255], np.uint8), (HEIGHT, WIDTH))
    Image.fromarray(ids).save(ade_sample(tmp_path)[1])
    sample = DATASETS["ade20k"].find(tmp_path / "images", tmp_path / "annotations")[0]
    assert sample.read()[1][0, :4].tolist() == [255, 0, 149, 255]


def test_a_palette_is_read_as_indices(tmp_path: Path) -> None:
    truth = ade_sample(tmp_path)[1]
    picture = Image.fromarray(np.full((HEIGHT, WIDTH), 7, np.uint8), "P")
    picture.putpalette([value for number in range(256) for value in (255 - number, number, 3)])
    picture.save(truth)
    sample = DATASETS["ade20k"].find(tmp_path / "images", tmp_path / "annotations")[0]
    assert (sample.read()[1] == 6).all()


def test_classes_of_one_dataset_may_differ_in_a_word() -> None:
    ade20k = load_labels("ade20k")
    check_classes(ade20k, ade20k)
    check_classes([f"other; {label.upper()} , more" for label in ade20k], ade20k)
    check_classes(["my own road", *CITYSCAPES[1:]], CITYSCAPES)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (load_labels("ade20k"), "the dataset's 19 classes; this one has 150"),
        (CITYSCAPES[::-1], "18 of 19 have other names: 0 is 'bicycle' and not 'road'"),
    ],
)
def test_classes_of_another_dataset_are_refused(labels: tuple[str, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_classes(labels, CITYSCAPES)
