from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from ssa.device import Placement
from ssa.errors import WeightsError
from ssa.models.oneformer import OneFormerSegmentor
from ssa.models.oneformer import segmentor as oneformer
from ssa.models.oneformer.segmentor import input_size
from ssa.models.shared import class_scores as label_maps
from tests.models.checkpoints import IMAGENET_MEAN, IMAGENET_STD, write_oneformer
from tests.models.spying import ODD_SIZES_HW, assert_is_red, inputs_of, noise, red

CPU = Placement(torch.device("cpu"), torch.float32)
TASK_TOKENS = 77
LABELS = tuple(f"class {i}" for i in range(9))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("oneformer")
    write_oneformer(path, LABELS)
    return path


def task_of(folder: Path) -> torch.Tensor:
    return oneformer._task_tokens(oneformer._load_processor(folder, TASK_TOKENS))


@pytest.fixture(scope="module")
def segmentor(folder: Path) -> OneFormerSegmentor:
    return OneFormerSegmentor.load(folder, CPU, "coco", LABELS)


@pytest.mark.parametrize("size_hw", [*ODD_SIZES_HW, (7, 900)])
def test_label_map_has_the_pictures_size(
    segmentor: OneFormerSegmentor, size_hw: tuple[int, int]
) -> None:
    label_map = segmentor.segment(noise(*size_hw))
    assert label_map.class_ids.shape == size_hw
    assert label_map.class_ids.dtype == np.int16
    assert (label_map.source, label_map.labels) == ("coco", LABELS)
    assert 0 <= label_map.class_ids.min() <= label_map.class_ids.max() < len(LABELS)


@pytest.mark.parametrize("size_hw", [(150, 201), (90, 60), (11, 13), (9, 240)])
def test_same_pixels_as_the_processors_own_post_processing(
    segmentor: OneFormerSegmentor,
    folder: Path,
    size_hw: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(label_maps, "BAND_NUMBERS", len(LABELS) * size_hw[1] * 4)
    picture = noise(*size_hw)
    mine = segmentor.segment(picture).class_ids
    plain = transformers.OneFormerForUniversalSegmentation.from_pretrained(folder).eval()
    with torch.inference_mode():
        outputs = plain(segmentor._prepare(picture), task_of(folder))
    theirs = segmentor._images.post_process_semantic_segmentation(outputs, target_sizes=[size_hw])[
        0
    ].numpy()
    assert len(np.unique(theirs)) > 1
    assert (mine == theirs).mean() >= 0.999


@pytest.mark.parametrize("size_hw", [(150, 201), (700, 900), (64, 64)])
def test_same_input_as_the_processors_own_for_a_usual_picture(
    segmentor: OneFormerSegmentor, folder: Path, size_hw: tuple[int, int]
) -> None:
    picture = noise(*size_hw)
    processor = oneformer._load_processor(folder, TASK_TOKENS)
    theirs = processor(images=[picture], task_inputs=["semantic"], return_tensors="pt")
    assert torch.equal(segmentor._prepare(picture), theirs["pixel_values"])
    assert torch.equal(task_of(folder), theirs["task_inputs"])


@pytest.mark.parametrize(
    ("image_hw", "size"),
    [
        ((480, 640), {"shortest_edge": 512, "longest_edge": 2048}),
        ((100, 400), {"shortest_edge": 512, "longest_edge": 2048}),
        ((10, 20000), {"height": 32, "width": 2048}),
        ((20000, 1), {"height": 2048, "width": 32}),
    ],
)
def test_no_side_vanishes(image_hw: tuple[int, int], size: dict[str, int]) -> None:
    assert input_size(image_hw, 512, 2048) == size


def test_tables_kept_of_one_size_serve_no_other(
    segmentor: OneFormerSegmentor, folder: Path
) -> None:
    for size in ((40, 60), (60, 40), (40, 60)):
        picture = noise(*size)
        fresh = OneFormerSegmentor.load(folder, CPU, "coco", LABELS)
        assert torch.equal(segmentor.scores(picture), fresh.scores(picture))


def test_a_red_picture_reaches_the_model_red(segmentor: OneFormerSegmentor) -> None:
    with inputs_of(segmentor._model.backbone) as seen:
        segmentor.segment(red(40, 50))
    assert seen[0].shape == (1, 3, 64, 80)
    assert_is_red(seen[0], IMAGENET_MEAN, IMAGENET_STD)


def test_half_precision_says_much_the_same(segmentor: OneFormerSegmentor, folder: Path) -> None:
    half = OneFormerSegmentor.load(
        folder, Placement(torch.device("cpu"), torch.bfloat16), "coco", LABELS
    )
    picture = noise(64, 64)
    dtypes = {name: p.dtype for name, p in half._model.named_parameters()}
    assert all(
        (dtype == torch.bfloat16) == name.startswith("backbone.") for name, dtype in dtypes.items()
    )
    same = half.segment(picture).class_ids == segmentor.segment(picture).class_ids
    assert same.mean() > 0.8


def test_another_number_of_classes_is_refused(folder: Path) -> None:
    with pytest.raises(WeightsError, match=r"expected 8 classes; the model .* has 9"):
        OneFormerSegmentor.load(folder, CPU, "coco", LABELS[:8])


def test_its_own_names_serve_where_none_are_given(folder: Path) -> None:
    label_map = OneFormerSegmentor.load(folder, CPU, "mine").segment(noise(33, 40))
    assert (label_map.source, label_map.labels) == ("mine", LABELS)


def test_a_missing_layer_is_refused(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = load_file(tmp_path / "model.safetensors")
    del weights["model.pixel_level_module.encoder.embeddings.norm.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsError, match="1 parameters are not in the checkpoint"):
        OneFormerSegmentor.load(tmp_path, CPU, "coco", LABELS)


def test_class_info_is_not_looked_for(folder: Path, tmp_path: Path) -> None:
    for file in folder.iterdir():
        if file.name != "classes_panoptic.json":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    OneFormerSegmentor.load(tmp_path, CPU, "coco", LABELS)
