"""Chat models say of all crops at once what transformers' own ``generate`` says of them one by one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from hypothesis import example, given
from hypothesis import strategies as st
from models.checkpoints import write_blip
from models.small_captioners import write_qwen3_vl, write_smolvlm
from models.spying import inputs_of, noise, red

from ssa.device import Placement
from ssa.errors import OutOfMemory, WeightsError
from ssa.models.chat import (
    LONGEST_RATIO,
    LONGEST_SIDE_PX,
    QUESTION,
    SHORTEST_SIDE_PX,
    ChatCaptioner,
    _bounded,
)
from ssa.types import RGBImage

CPU = Placement(torch.device("cpu"), torch.float32)
LONGEST = 8
# How eager each is to end, so that texts end at different words or not at all.
FAMILIES: dict[str, Callable[[Path], None]] = {
    "qwen3_vl": partial(write_qwen3_vl, eagerness=2.4),
    "smolvlm": partial(write_smolvlm, eagerness=-1.2),
    "idefics3": partial(write_smolvlm, eagerness=-1.2, family="Idefics3"),
}
CROPS = [
    noise(*size, seed=number)
    for number, size in enumerate([(33, 70), (40, 32), (200, 32), (64, 64), (100, 60), (32, 180)])
]


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("chat") / request.param
    FAMILIES[request.param](path)
    return path


@pytest.fixture(scope="module")
def captioner(folder: Path) -> ChatCaptioner:
    return ChatCaptioner.load(folder, CPU, LONGEST)


@pytest.fixture(scope="module")
def smol(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("smol")
    write_smolvlm(path, family="Idefics3")
    return path


def plain(folder: Path, crops: Sequence[RGBImage]) -> list[str]:
    """Crop by crop as transformers' documentation has it, but in one piece and without penalties."""
    model = transformers.AutoModelForImageTextToText.from_pretrained(folder).eval()
    processor = transformers.AutoProcessor.from_pretrained(folder)
    if model.config.model_type != "qwen3_vl":
        processor.image_processor.do_image_splitting = False
    said = []
    for crop in crops:
        content = [{"type": "image", "image": crop}, {"type": "text", "text": QUESTION}]
        inputs = processor.apply_chat_template(
            [{"role": "user", "content": content}],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        )
        tokens = model.generate(
            **inputs, do_sample=False, num_beams=1, max_new_tokens=LONGEST, repetition_penalty=1.0
        )[0, inputs["input_ids"].shape[1] :]
        ends = model.generation_config.eos_token_id
        whole = int(tokens[-1]) in (ends if isinstance(ends, list) else [ends])
        text = processor.decode(tokens, skip_special_tokens=True).strip()
        said.append(text if whole else text + "…")
    return said


def test_all_at_once_say_what_generate_says_one_by_one(
    captioner: ChatCaptioner, folder: Path
) -> None:
    said = captioner.caption(CROPS)
    assert said == plain(folder, CROPS)
    assert len({text.endswith("…") for text in said}) == 2
    assert len(set(said)) > 2


def test_a_batch_says_what_its_crops_say_alone(captioner: ChatCaptioner) -> None:
    crops = [*CROPS, noise(1, 1), noise(1, 300), noise(900, 10), red(1000, 1200)]
    assert captioner.caption(crops) == [captioner.caption([crop])[0] for crop in crops]
    assert captioner.caption([]) == []


def test_a_text_is_no_longer_than_it_may_be(smol: Path) -> None:
    for longest in (1, 3):
        said = ChatCaptioner.load(smol, CPU, longest).caption(CROPS)
        assert set(map(len, said)) == {longest + len("…")}


def test_the_model_is_asked_as_its_template_has_it(captioner: ChatCaptioner) -> None:
    assert QUESTION in captioner._prompt
    assert captioner._prompt.rstrip().removesuffix(":").lower().endswith("assistant")


def test_no_crop_is_cut_into_tiles(smol: Path) -> None:
    captioner = ChatCaptioner.load(smol, CPU, LONGEST)
    with inputs_of(captioner._model.model.vision_model) as seen:
        captioner.caption([red(300, 200), red(9, 9)])
    assert [pixels.shape for pixels in seen] == [(2, 3, 32, 32)]


def test_weights_take_the_placements_type(folder: Path) -> None:
    half = ChatCaptioner.load(folder, Placement(CPU.device, torch.bfloat16), 4)
    assert {weight.dtype for weight in half._model.parameters()} == {torch.bfloat16}
    assert len(half.caption(CROPS)) == len(CROPS)


@given(height=st.integers(1, 3000), width=st.integers(1, 3000))
@example(1, 3000)
@example(3000, 1)
@example(1, 1)
@example(769, 768)
def test_a_crop_is_shown_within_bounds(height: int, width: int) -> None:
    picture = _bounded(np.zeros((height, width, 3), np.uint8))
    longer, shorter = max(picture.size), min(picture.size)
    assert SHORTEST_SIDE_PX <= shorter <= longer <= LONGEST_SIDE_PX
    assert longer <= LONGEST_RATIO * shorter
    fits = min(height, width) >= SHORTEST_SIDE_PX and max(height, width) <= LONGEST_SIDE_PX
    if fits and max(height, width) <= LONGEST_RATIO * min(height, width):
        assert picture.size == (width, height)
    # What is wider stays so.
    assert (width - height) * (picture.size[0] - picture.size[1]) >= 0


def test_a_shown_crop_keeps_its_colours() -> None:
    assert np.asarray(_bounded(red(2, 1000))).reshape(-1, 3).tolist() == [[255, 0, 0]] * 768 * 96
    assert np.array_equal(np.asarray(_bounded(noise(40, 50)[:, ::-1])), noise(40, 50)[:, ::-1])


def test_weights_in_several_files_load(smol: Path, tmp_path: Path) -> None:
    shutil.copytree(smol, tmp_path, dirs_exist_ok=True)
    model = transformers.AutoModelForImageTextToText.from_pretrained(smol)
    (tmp_path / "model.safetensors").unlink()
    model.save_pretrained(tmp_path, max_shard_size="100KB")
    assert len([*tmp_path.glob("model-*.safetensors")]) > 1
    again, once = (ChatCaptioner.load(path, CPU, LONGEST) for path in (tmp_path, smol))
    assert again.caption(CROPS) == once.caption(CROPS)


def test_out_of_memory_is_told(smol: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    captioner = ChatCaptioner.load(smol, CPU, LONGEST)

    def no_room(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(captioner._model, "generate", no_room)
    with pytest.raises(OutOfMemory, match=r"wanted 2.00 GiB more"):
        captioner.caption(CROPS)


def test_a_model_that_does_not_chat_is_told(tmp_path: Path) -> None:
    write_blip(tmp_path)
    with pytest.raises(WeightsError, match="it has no chat template"):
        ChatCaptioner.load(tmp_path, CPU, LONGEST)


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("{% for message in messages %}{{ message.content + 'x' }}{% endfor %}", "filled in"),
        ("Assistant:", "shows a picture once; got it 0 times"),
        ("<image><image>", "shows a picture once; got it 2 times"),
    ],
)
def test_a_template_that_does_not_fit_is_told(
    smol: Path, tmp_path: Path, template: str, told: str
) -> None:
    shutil.copytree(smol, tmp_path, dirs_exist_ok=True)
    (tmp_path / "chat_template.jinja").write_text(template)
    with pytest.raises(WeightsError, match=told):
        ChatCaptioner.load(tmp_path, CPU, 4)


def test_a_template_that_can_not_be_filled_in_is_told(smol: Path, tmp_path: Path) -> None:
    shutil.copytree(smol, tmp_path, dirs_exist_ok=True)
    (tmp_path / "chat_template.jinja").write_text("{% for message in messages %}")
    with pytest.raises(WeightsError, match="template can't be filled in"):
        ChatCaptioner.load(tmp_path, CPU, LONGEST)


def test_a_model_that_would_never_end_is_told(smol: Path, tmp_path: Path) -> None:
    shutil.copytree(smol, tmp_path, dirs_exist_ok=True)
    (tmp_path / "generation_config.json").write_text('{"pad_token_id": 0}')
    with pytest.raises(WeightsError, match="a token that ends a text"):
        ChatCaptioner.load(tmp_path, CPU, LONGEST)


def test_what_thinks_aloud_is_asked_not_to(smol: Path, tmp_path: Path) -> None:
    shutil.copytree(smol, tmp_path, dirs_exist_ok=True)
    template = (tmp_path / "chat_template.jinja").read_text()
    silent = "{% if enable_thinking is defined and not enable_thinking %}No thoughts.{% endif %}"
    (tmp_path / "chat_template.jinja").write_text(template + silent)
    assert ChatCaptioner.load(tmp_path, CPU, LONGEST)._prompt.endswith("Assistant:No thoughts.")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_damaged_folder_is_named(smol: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(smol, tmp_path, dirs_exist_ok=True)
    (tmp_path / name).write_bytes(b"{")
    with pytest.raises(WeightsError, match=r"captions: .* can't be loaded"):
        ChatCaptioner.load(tmp_path, CPU, LONGEST)


def test_pickled_weights_and_other_peoples_code_are_never_opened(
    smol: Path, tmp_path: Path
) -> None:
    shutil.copytree(smol, tmp_path, dirs_exist_ok=True)
    config = json.loads((tmp_path / "config.json").read_text())
    config["auto_map"] = {"AutoConfig": "evil.Config", "AutoModelForImageTextToText": "evil.Model"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "evil.py").write_text("raise SystemExit('was run')")
    # The family is known, so transformers' own code serves.
    assert len(ChatCaptioner.load(tmp_path, CPU, LONGEST).caption(CROPS[:1])) == 1
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(WeightsError):
        ChatCaptioner.load(tmp_path, CPU, LONGEST)
