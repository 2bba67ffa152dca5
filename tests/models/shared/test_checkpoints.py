"""Checkpoints read safely: whole or refused, in words that name what is wrong and no folder of the server."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from ssa.errors import WeightsError
from ssa.models.shared.checkpoints import (
    Shapes,
    check_complete,
    number_beside,
    read_tensors,
    weights_file,
)

STATE = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.zeros(2, dtype=torch.half)}


HARM = "harm-done-by-a-pickle"


class Harmful:
    """Code in a pickle: it would make a folder where the process stands."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (HARM,)


def assert_state(tensors: dict[str, torch.Tensor]) -> None:
    assert tensors.keys() == STATE.keys()
    for name, tensor in tensors.items():
        assert tensor.dtype == STATE[name].dtype
        torch.testing.assert_close(tensor, STATE[name])


def test_safetensors_come_before_a_pickle_and_one_of_them_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"expected model.safetensors or one \*\.pth file, found neither"
    ):
        weights_file(tmp_path)
    torch.save(STATE, tmp_path / "b.pth")
    assert weights_file(tmp_path).name == "b.pth"
    torch.save(STATE, tmp_path / "a.pth")
    with pytest.raises(WeightsError, match=r"found a\.pth, b\.pth"):
        weights_file(tmp_path)
    save_file(STATE, tmp_path / "model.safetensors")
    assert weights_file(tmp_path).name == "model.safetensors"


@pytest.mark.parametrize("nested", [False, True])
def test_tensors_keep_their_types(tmp_path: Path, nested: bool) -> None:
    torch.save({"model": STATE} if nested else STATE, tmp_path / "m.pth")
    assert_state(read_tensors(tmp_path / "m.pth"))
    save_file(STATE, tmp_path / "m.safetensors")
    assert_state(read_tensors(tmp_path / "m.safetensors"))


@pytest.mark.parametrize(
    "content", [{"a": Harmful()}, {"a": 3}, [torch.zeros(1)], {"model": {"a": "text"}}]
)
def test_a_pickle_of_anything_but_tensors_is_refused(
    tmp_path: Path, content: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "folder" / "m.pth"
    path.parent.mkdir()
    torch.save(content, path)
    with pytest.raises(WeightsError, match=r"folder/m\.pth") as refused:
        read_tensors(path)
    assert str(tmp_path) not in str(refused.value)
    assert not (tmp_path / HARM).exists()


@pytest.mark.parametrize("name", ["m.pth", "m.safetensors"])
def test_rubbish_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x80\x02rubbish" * 9)
    with pytest.raises(WeightsError, match="can't be read as tensors"):
        read_tensors(tmp_path / name)


def test_a_number_beside_weights_is_read_or_its_default(tmp_path: Path) -> None:
    weights = tmp_path / "model.safetensors"
    assert number_beside(weights, "heads", 8) == 8
    (tmp_path / "config.json").write_text(json.dumps({"heads": 4}))
    assert number_beside(weights, "heads", 8) == 4
    assert number_beside(weights, "others", 2) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"heads": 0}', "heads must be a positive int, got 0"),
        ('{"heads": true}', "heads must be a positive int, got True"),
        ('{"heads": "4"}', "heads must be a positive int, got '4'"),
        ("[4]", "expected a JSON object"),
        ("{", "expected a JSON object"),
    ],
)
def test_a_number_that_is_none_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(WeightsError, match=message):
        number_beside(tmp_path / "model.safetensors", "heads", 8)


def test_a_checkpoint_must_have_all_tensors_and_no_others() -> None:
    check_complete(STATE, dict(STATE), Path("sam/m.pth"), "SAM")
    got = {"a.weight": torch.zeros(3, 2), **{f"x{i}": torch.zeros(1) for i in range(6)}}
    with pytest.raises(WeightsError) as refused:
        check_complete(STATE, got, Path("sam/m.pth"), "SAM")
    assert str(refused.value) == (
        "sam/m.pth: not a whole SAM: tensors 1 missing (a.bias); "
        "6 unexpected (x0, x1, x2, x3 and 2 more); 1 of the wrong shape (a.weight (3, 2) for (2, 3))"
    )


def test_shapes_are_counted_and_what_is_missing_is_named() -> None:
    state = {f"blocks.{i}.w": torch.zeros(2, 3) for i in (0, 1, 10)} | {"empty": torch.zeros(0, 3)}
    shapes = Shapes(state, "SAM")
    assert shapes.of("blocks.10.w", 2) == (2, 3)
    assert shapes.count("blocks.") == 3
    for ask, message in (
        (lambda: shapes.of("neck", 2), "tensor 'neck' is missing; is this a SAM checkpoint"),
        (lambda: shapes.of("blocks.0.w", 4), "should have 4 dimensions, got"),
        (lambda: shapes.of("empty", 2), "should have 2 dimensions"),
        (lambda: shapes.count("layers."), r"no tensor layers\.\*"),
    ):
        with pytest.raises(WeightsError, match=message):
            ask()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_refused(tmp_path: Path, value: float) -> None:
    broken = {**STATE, "a.bias": torch.tensor([1.0, value])}
    with pytest.raises(WeightsError, match=r"1 with NaN or infinity \(a\.bias\)"):
        check_complete(STATE, broken, tmp_path / "m.safetensors", "model")
    check_complete(STATE, STATE, tmp_path / "m.safetensors", "model")
