"""Florence-2 says crop by crop, and of all crops at once, what transformers' own ``generate`` says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
import transformers
from models.florence_reference import ALL, one_by_one
from models.small_captioners import write_florence
from models.spying import ODD_SIZES_HW, assert_is_red, inputs_of, noise, red

from benchmarks.random_weights import IMAGENET_MEAN, IMAGENET_STD
from ssa.device import Placement
from ssa.errors import OutOfMemory, WeightsError
from ssa.models.florence import FlorenceCaptioner, _in_places
from ssa.pictures.canvas import Canvas, Crops

CPU = Placement(torch.device("cpu"), torch.float32)
LONGEST = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("florence")
    write_florence(path)
    return path


@pytest.fixture(scope="module")
def captioner(folder: Path) -> FlorenceCaptioner:
    return FlorenceCaptioner.load(folder, CPU, LONGEST)


CROPS = [noise(*size, seed=i) for i, size in enumerate(ODD_SIZES_HW)]


@pytest.mark.parametrize("eagerness", [0.0, 1.4, 1.6])
@pytest.mark.parametrize("in_bulk", [False, True])
def test_all_at_once_say_what_generate_says_one_by_one(
    tmp_path: Path, eagerness: float, in_bulk: bool
) -> None:
    write_florence(tmp_path, eagerness=eagerness)
    place = Placement(torch.device("cpu"), torch.float32, bulk=in_bulk)
    said = FlorenceCaptioner.load(tmp_path, place, LONGEST).caption(CROPS)
    assert said == one_by_one(tmp_path, CROPS, [ALL] * len(CROPS), LONGEST)
    lengths = {len(one) for one in said}
    if eagerness:
        # Answers end at different words; else a row that goes on after its end would not be seen.
        assert len(lengths) > 2
    assert len(set(said)) > 2


def test_a_batch_says_what_its_crops_say_alone(captioner: FlorenceCaptioner) -> None:
    assert captioner.caption(CROPS) == [captioner.caption([crop])[0] for crop in CROPS]
    assert captioner.caption([]) == []


def test_it_is_asked_about_the_mask_and_not_about_all_of_the_crop(
    captioner: FlorenceCaptioner, folder: Path
) -> None:
    picture = Canvas(noise(60, 80))
    # The second lies at the picture's edge, so its crop is not scaled about the box's centre.
    boxes, about = [(10, 5, 50, 45), (60, 0, 80, 30)], [(20, 15, 40, 35), (64, 0, 80, 24)]
    regions = ["<loc_250><loc_250><loc_750><loc_750>", "<loc_200><loc_0><loc_999><loc_800>"]
    crops = Crops([picture] * 2, boxes, about)
    said = captioner.caption(crops)
    assert said == one_by_one(folder, list(crops), regions, LONGEST)
    assert said != captioner.caption(list(crops)) == captioner.caption(Crops([picture] * 2, boxes))


@pytest.mark.parametrize(
    ("about", "expected"),
    [
        ((10, 20, 110, 220), ALL),
        ((0, 0, 500, 500), ALL),  # more than the crop, at a scale under 1
        ((10, 20, 11, 21), "<loc_0><loc_0><loc_10><loc_5>"),
        ((43, 87, 77, 153), "<loc_330><loc_335><loc_670><loc_665>"),
    ],
)
def test_places_are_thousandths_as_the_processor_counts_them(
    folder: Path, about: tuple[int, int, int, int], expected: str
) -> None:
    assert _in_places(about, (10, 20, 110, 220)) == expected
    processor = transformers.AutoProcessor.from_pretrained(folder)
    inside = torch.tensor([about]) - torch.tensor([[10, 20, 10, 20]])
    (theirs,) = processor.post_processor.quantize(inside, (100, 200)).tolist()
    assert "".join(f"<loc_{place}>" for place in theirs) == expected


def test_a_red_crop_reaches_the_model_red(captioner: FlorenceCaptioner) -> None:
    with inputs_of(captioner._model.model.vision_tower) as seen:
        captioner.caption([red(3, 17), red(40, 50)])
    assert seen[0].shape == (2, 3, 64, 64)
    assert_is_red(seen[0], IMAGENET_MEAN, IMAGENET_STD)


def test_both_questions_share_one_look_and_a_cpu_looks_at_few_at_once(
    folder: Path, captioner: FlorenceCaptioner
) -> None:
    bulk = FlorenceCaptioner.load(folder, Placement(CPU.device, CPU.dtype, bulk=True), LONGEST)
    for one, expected in ((captioner, [2, 2, 2]), (bulk, [6])):
        with inputs_of(one._model.model.vision_tower) as seen:
            one.caption(CROPS)
        assert [len(pixels) for pixels in seen] == expected


def test_an_answer_is_no_longer_than_it_may_be(folder: Path) -> None:
    for longest in (1, 3):
        for said in FlorenceCaptioner.load(folder, CPU, longest).caption(CROPS):
            assert len(said) == 2 * longest + len(": ")


def test_weights_take_the_placements_type_save_for_the_words_scores(folder: Path) -> None:
    half = FlorenceCaptioner.load(folder, Placement(CPU.device, torch.bfloat16), 4)
    high = {
        name
        for name, weight in half._model.named_parameters(remove_duplicate=False)
        if weight.dtype == torch.float32
    }
    assert high == {"lm_head.weight"}
    assert len(half.caption(CROPS)) == len(CROPS)


def test_out_of_memory_is_told(
    captioner: FlorenceCaptioner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(captioner._model, "generate", no_room)
    with pytest.raises(OutOfMemory, match=r"wanted 2.00 GiB more"):
        captioner.caption(CROPS)


def test_the_layout_of_earlier_versions_loads_too(
    captioner: FlorenceCaptioner, folder: Path, tmp_path: Path
) -> None:
    """A preprocessor_config.json of its own, and places that a tokenizer doesn't count as special."""
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    described = json.loads((tmp_path / "processor_config.json").read_text())
    seen = {**described.pop("image_processor"), "processor_class": "Florence2Processor"}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(seen))
    (tmp_path / "processor_config.json").write_text(json.dumps(described))
    tokens = json.loads((tmp_path / "tokenizer.json").read_text())
    for token in tokens["added_tokens"]:
        token["special"] &= not token["content"].startswith("<loc_")
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokens))
    again = FlorenceCaptioner.load(tmp_path, CPU, LONGEST)
    assert again._tokenizer.decode([again._tokenizer.convert_tokens_to_ids("<loc_7>")]) == "<loc_7>"
    assert again.caption(CROPS) == captioner.caption(CROPS)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "processor_config.json"])
def test_a_damaged_folder_is_named(folder: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / name).write_bytes(b"{")
    with pytest.raises(WeightsError, match=r"captions: .* can't be loaded"):
        FlorenceCaptioner.load(tmp_path, CPU, LONGEST)
    (tmp_path / name).unlink()
    with pytest.raises(WeightsError, match="captions: "):
        FlorenceCaptioner.load(tmp_path, CPU, LONGEST)


def test_a_folder_that_needs_other_peoples_code_is_told(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    config = json.loads((tmp_path / "config.json").read_text())
    config["auto_map"] = {"AutoConfig": "configuration_florence2.Florence2Config"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(WeightsError, match="florence-community"):
        FlorenceCaptioner.load(tmp_path, CPU, LONGEST)


def test_a_tokenizer_without_places_is_told(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    path = tmp_path / "tokenizer.json"
    path.write_text(path.read_text().replace("<loc_", "<spot_"))
    with pytest.raises(WeightsError, match="expected a tokenizer that knows 1000 places; got 1"):
        FlorenceCaptioner.load(tmp_path, CPU, LONGEST)
