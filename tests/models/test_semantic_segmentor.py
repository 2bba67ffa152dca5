"""Segmentors of many families, each against transformers' own path from a picture to classes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from ssa.device import Placement
from ssa.errors import WeightsError
from ssa.labelling.labels import load_labels
from ssa.models import semantic_segmentor
from ssa.models.semantic_segmentor import SemanticSegmentor, plain_name
from ssa.models.shared import class_scores as label_maps
from ssa.models.tables.segmentors import load_segmentor
from ssa.types import RGBImage
from tests.models.checkpoints import IMAGENET_MEAN, IMAGENET_STD, write_oneformer
from tests.models.segmentors import FAMILIES, LABELS, write_segmentor
from tests.models.spying import ODD_SIZES_HW, assert_is_red, inputs_of, noise, red

CPU = Placement(torch.device("cpu"), torch.float32)
SIZES_HW = [(150, 201), (201, 150), (30, 230), (11, 13)]
SQUARE = {"height": 64, "width": 64}
NUMBERED = {str(number): f"LABEL_{number}" for number in range(7)}
QUERIES = ("mask2former", "maskformer", "detr", "eomt")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folders = {family: tmp_path_factory.mktemp(family.split()[0]) for family in FAMILIES}
    for family, folder in folders.items():
        write_segmentor(folder, family)
    return folders


@pytest.fixture(scope="module")
def segmentors(folders: dict[str, Path]) -> dict[str, SemanticSegmentor]:
    return {name: SemanticSegmentor.load(path, CPU, "mine") for name, path in folders.items()}


class Plain:
    """transformers alone, from a picture to classes."""

    def __init__(self, folder: Path) -> None:
        queries = json.loads((folder / "config.json").read_bytes())["model_type"] in QUERIES
        auto = transformers.AutoModelForSemanticSegmentation
        if queries:
            auto = transformers.AutoModelForUniversalSegmentation
        self.model = auto.from_pretrained(folder).eval()
        self.processor = transformers.AutoImageProcessor.from_pretrained(folder)

    def segment(self, picture: RGBImage) -> tuple[NDArray[np.int64], torch.Tensor]:
        """Classes (H, W) and scores (C, H, W)."""
        inputs = self.processor(
            images=[picture], return_tensors="pt", input_data_format="channels_last"
        )
        offsets = inputs.pop("patch_offsets", None)
        with torch.inference_mode():
            outputs = self.model(**inputs)
        outputs.patch_offsets = offsets
        (found,) = self.processor.post_process_semantic_segmentation(
            outputs, target_sizes=[picture.shape[:2]], return_segmentation_scores=True
        )
        return found["segmentation"].numpy(), found["segmentation_scores"]


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "eomt padded"])
def test_same_pixels_as_the_processors_own_post_processing(
    segmentors: dict[str, SemanticSegmentor],
    folders: dict[str, Path],
    family: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(label_maps, "BAND_NUMBERS", 4000)  # some rows of the larger pictures
    plain = Plain(folders[family])
    for size_hw in SIZES_HW:
        picture = noise(*size_hw)
        classes, scores = plain.segment(picture)
        assert scores.std((1, 2)).max() > 0
        mine = segmentors[family].scores(picture)
        resized = torch.nn.functional.interpolate(mine[None], size_hw, mode="bilinear")[0]
        torch.testing.assert_close(resized, scores, atol=1e-4, rtol=1e-4)
        assert (segmentors[family].segment(picture).class_ids == classes).mean() >= 0.999


def test_padding_is_no_part_of_the_picture(
    segmentors: dict[str, SemanticSegmentor], folders: dict[str, Path]
) -> None:
    """The processor's post-processing knows it for panoptic answers only; its way there, step by step."""
    picture = noise(48, 64)
    processor = transformers.AutoImageProcessor.from_pretrained(folders["eomt padded"])
    model = transformers.AutoModelForUniversalSegmentation.from_pretrained(folders["eomt padded"])
    with torch.inference_mode():
        inputs = processor(images=[picture], return_tensors="pt")
        outputs = model.eval()(pixel_values=inputs["pixel_values"])
    masks = torch.nn.functional.interpolate(outputs.masks_queries_logits, (64, 64), mode="bilinear")
    classes = outputs.class_queries_logits.softmax(-1)[..., :-1]
    scores = torch.einsum("bqc,bqhw->bchw", classes, masks.sigmoid())
    expected = processor.unpad_image(scores, [(48, 64)], processor.size)[0].argmax(0).numpy()
    assert len(np.unique(expected)) > 1
    mine = segmentors["eomt padded"].segment(picture).class_ids
    assert (mine == expected).mean() >= 0.999


@pytest.mark.parametrize("family", FAMILIES)
def test_any_picture_gets_a_label_map_of_its_size(
    segmentors: dict[str, SemanticSegmentor], family: str
) -> None:
    for size_hw in [*ODD_SIZES_HW, (1, 900), (900, 7)]:
        label_map = segmentors[family].segment(noise(*size_hw))
        assert label_map.class_ids.shape == size_hw
        assert label_map.class_ids.dtype == np.int16
        assert (label_map.source, label_map.labels) == ("mine", LABELS)
        assert 0 <= label_map.class_ids.min() <= label_map.class_ids.max() < len(LABELS)


def seen_by(segmentor: SemanticSegmentor, picture: RGBImage) -> torch.Tensor:
    """The one input that a segmentor's model gets of a picture."""
    with inputs_of(segmentor._model) as seen:
        segmentor.segment(picture)
    (pixels,) = seen
    return pixels


@pytest.mark.parametrize("family", ["segformer", "mask2former", "eomt"])
def test_a_red_picture_reaches_the_model_red(
    segmentors: dict[str, SemanticSegmentor], family: str
) -> None:
    assert_is_red(seen_by(segmentors[family], red(64, 64)), IMAGENET_MEAN, IMAGENET_STD)


def changed(source: Path, target: Path, file: str, **entries: Any) -> Path:
    """A copy of a folder with other entries in one of its JSON files."""
    shutil.copytree(source, target)
    known = json.loads((target / file).read_bytes())
    (target / file).write_text(json.dumps({**known, **entries}))
    return target


@pytest.mark.parametrize(
    ("family", "entries", "size_hw", "seen_hw"),
    [
        (
            "beit",  # knows one size, so the picture is squeezed to what a crop would have been
            {"do_center_crop": True, "size": {"height": 72, "width": 72}, "crop_size": SQUARE},
            (64, 64),
            (64, 64),
        ),
        (
            "segformer",
            {
                "image_processor_type": "MobileNetV2ImageProcessor",
                "size": {"shortest_edge": 64},
                "crop_size": SQUARE,
            },
            (64, 96),
            (64, 96),
        ),
        ("dpt", {"do_pad": True, "size_divisor": 48}, (64, 64), (64, 64)),
        ("mask2former", {"pad_size": {"height": 128, "width": 192}}, (64, 96), (64, 96)),
    ],
)
def test_nothing_is_cropped_off_or_padded_on(
    folders: dict[str, Path],
    tmp_path: Path,
    family: str,
    entries: dict[str, Any],
    size_hw: tuple[int, int],
    seen_hw: tuple[int, int],
) -> None:
    changed(folders[family], tmp_path / "f", "preprocessor_config.json", **entries)
    segmentor = SemanticSegmentor.load(tmp_path / "f", CPU, "mine")
    edges = np.zeros((*size_hw, 3), np.uint8)
    edges[[0, -1]] = edges[:, [0, -1]] = 255
    seen = seen_by(segmentor, edges)
    assert seen.shape == (1, 3, *seen_hw)
    assert (seen[..., [0, -1]] > 0.99).all()


def test_a_strip_is_stretched_before_it_grows(segmentors: dict[str, SemanticSegmentor]) -> None:
    with inputs_of(segmentors["eomt"]._model) as seen:
        segmentors["eomt"].segment(noise(2, 3000))
    assert len(seen) == semantic_segmentor.MOST_ELONGATED
    assert seen_by(segmentors["mask2former"], noise(2, 3000)).shape == (1, 3, 32, 256)


def test_a_processor_that_does_not_resize_gets_no_speck(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    as_it_is = changed(
        folders["segformer"], tmp_path / "f", "preprocessor_config.json", do_resize=False
    )
    segmentor = SemanticSegmentor.load(as_it_is, CPU, "mine")
    assert segmentor.segment(noise(1, 3)).class_ids.shape == (1, 3)
    assert seen_by(segmentor, noise(40, 70)).shape == (1, 3, 40, 70)


@pytest.mark.parametrize("family", FAMILIES)
def test_half_precision_says_much_the_same(
    segmentors: dict[str, SemanticSegmentor], folders: dict[str, Path], family: str
) -> None:
    half = SemanticSegmentor.load(
        folders[family], Placement(torch.device("cpu"), torch.bfloat16), "mine"
    )
    picture = noise(96, 64)
    same = half.segment(picture).class_ids == segmentors[family].segment(picture).class_ids
    assert same.mean() > 0.9
    dtypes = {parameter.dtype for parameter in half._model.parameters()}
    sampling = family in ("mask2former", "maskformer")
    assert dtypes == ({torch.bfloat16, torch.float32} if sampling else {torch.bfloat16})


def test_a_folder_is_opened_by_what_its_config_says(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    write_oneformer(tmp_path / "one", ("sky", "grass", "sea"))
    for folder, labels in ((tmp_path / "one", ("sky", "grass", "sea")), (folders["beit"], LABELS)):
        label_map = load_segmentor(folder, CPU, "mine").segment(noise(40, 50))
        assert (label_map.source, label_map.labels) == ("mine", labels)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("wall-other-merged", "wall"),
        ("tree-merged", "tree"),
        ("floor-wood", "floor-wood"),
        ("water-other", "water"),
        ("building;edifice", "building"),
        ("stairs, steps", "stairs"),
        ("stuffed toy", "stuffed toy"),
        ("other", "other"),
        (";", ";"),
    ],
)
def test_a_class_is_called_as_people_do(name: str, plain: str) -> None:
    assert plain_name(name) == plain


def test_any_segmentor_may_vote(folders: dict[str, Path], tmp_path: Path) -> None:
    numbered = {str(number): f"{name}-other-merged" for number, name in enumerate(LABELS)}
    folder = changed(folders["mask2former"], tmp_path / "f", "config.json", id2label=numbered)
    voter = load_segmentor(folder, CPU, "coco", load_labels("coco"))
    assert voter.segment(noise(40, 50)).labels == LABELS
    own = load_segmentor(folder, CPU, "mine").segment(noise(40, 50))
    assert own.labels == tuple(numbered.values())


@pytest.mark.parametrize("entries", [{"id2label": None, "num_labels": 7}, {"id2label": NUMBERED}])
def test_a_voter_whose_config_only_numbers_its_classes_has_its_roles(
    folders: dict[str, Path], tmp_path: Path, entries: dict[str, Any]
) -> None:
    """As the published EoMTs have it: as many classes as the data set has, in its order."""
    folder = changed(folders["eomt padded"], tmp_path / "f", "config.json", **entries)
    role = tuple(f"class {number}" for number in range(7))
    voter = load_segmentor(folder, CPU, "coco", role)
    assert voter.segment(noise(40, 50)).labels == role
    for labels in (role[:-1], None):
        with pytest.raises(WeightsError, match="must name the classes"):
            load_segmentor(folder, CPU, "coco", labels)


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ({"id2label": {}}, "id2label"),
        ({"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}, "must name the classes"),
        ({"id2label": {"0": "a", "2": "b"}}, "skips some"),
        ({"id2label": {"0": "a", "1": "b"}}, "can't be loaded"),
        (
            {"model_type": "bert", "num_attention_heads": 2},
            "expected a semantic segmentor; its config is of a 'bert'",
        ),
        ({"model_type": "no such"}, "can't be loaded"),
        ({"auto_map": {"AutoConfig": "theirs.Config"}, "model_type": "own"}, "can't be loaded"),
    ],
)
def test_other_folders_are_refused(
    folders: dict[str, Path], tmp_path: Path, entries: dict[str, Any], reason: str
) -> None:
    folder = changed(folders["segformer"], tmp_path / "f", "config.json", **entries)
    with pytest.raises(WeightsError, match=reason) as raised:
        load_segmentor(folder, CPU, "mine")
    assert str(tmp_path) not in str(raised.value)


def test_a_classifier_is_no_segmentor(folders: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(folders["segformer"], tmp_path / "f")
    weights = load_file(tmp_path / "f" / "model.safetensors")
    encoder = {name: one for name, one in weights.items() if "decode_head" not in name}
    save_file(encoder, tmp_path / "f" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(WeightsError, match="parameters are not in the checkpoint"):
        load_segmentor(tmp_path / "f", CPU, "mine")


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json", "model.safetensors"])
def test_a_missing_file_is_named(folders: dict[str, Path], tmp_path: Path, name: str) -> None:
    shutil.copytree(folders["segformer"], tmp_path / "f")
    (tmp_path / "f" / name).unlink()
    with pytest.raises(WeightsError, match=f"a folder without {name}"):
        load_segmentor(tmp_path / "f", CPU, "mine")
