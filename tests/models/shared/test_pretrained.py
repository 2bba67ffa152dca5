"""Opening folders of weights: every fault a ``WeightsError``, classes by their names, inputs in float32."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from benchmarks.transfers import transfers_counted
from ssa.errors import OutOfMemory, WeightsError
from ssa.models.shared.pretrained import (
    class_names,
    fed_float32,
    not_finite,
    opening,
    shown,
)


def test_a_path_is_shown_by_its_end() -> None:
    assert shown(Path("/srv/secret/tiny/sam")) == "tiny/sam"


def test_a_missing_folder_or_file_is_told_before_anything_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"CLIP: expected weights in .*/clip, a folder that is not there"
    ):
        load(tmp_path / "clip", None)
    (tmp_path / "clip").mkdir()
    with pytest.raises(WeightsError, match=r"a folder without config\.json"):
        load(tmp_path / "clip", AssertionError("not reached"), "config.json")


def load(folder: Path, error: BaseException | None, *files: str) -> None:
    with opening(folder, "CLIP", files):
        if error is not None:
            raise error


@pytest.mark.parametrize("error", [OSError, ValueError, KeyError, RuntimeError])
def test_what_libraries_raise_is_told_without_the_servers_folders(
    tmp_path: Path, error: type[Exception]
) -> None:
    folder = tmp_path / "clip"
    folder.mkdir()
    with pytest.raises(WeightsError, match="can't be loaded") as refused:
        load(folder, error(f"no good: {folder}/config.json"))
    assert str(tmp_path.parent) not in str(refused.value)
    assert isinstance(refused.value.__cause__, error)


def test_other_errors_pass(tmp_path: Path) -> None:
    for error in (OutOfMemory("full"), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            load(tmp_path, error)


def test_tensors_that_are_not_finite_are_named_and_the_device_is_asked_once() -> None:
    nan, infinity = torch.tensor([1.0, torch.nan]), torch.tensor([[torch.inf]]).half()
    tensors = {"b": nan, "a": infinity, "c": torch.ones(3), "ids": torch.tensor([1, 2])}
    with transfers_counted() as transfers:
        assert not_finite(tensors) == ["a", "b"]
        assert not_finite({"ids": tensors["ids"]}) == not_finite({}) == []
    assert transfers.total() == 1


def test_classes_are_named_by_id() -> None:
    config = SimpleNamespace(id2label={"1": " tree", "0": "sky", 2: "LABEL_2"})
    assert class_names(config) == ("sky", "tree", "LABEL_2")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({0: "sky", 2: "tree"}, "it skips some"),
        ({0: "LABEL_0", 1: "LABEL_1"}, "must name the classes"),
    ],
)
def test_classes_without_names_are_refused(names: dict[int, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        class_names(SimpleNamespace(id2label=names))


def test_classes_without_names_may_have_usual_ones_if_as_many() -> None:
    numbered = SimpleNamespace(id2label={0: "LABEL_0", 1: "LABEL_1"})
    named = SimpleNamespace(id2label={0: "sky", 1: "tree"})
    assert class_names(numbered, ("road", "wall")) == ("road", "wall")
    assert class_names(named, ("road", "wall")) == ("sky", "tree")
    with pytest.raises(ValueError, match="must name the classes"):
        class_names(numbered, ("road", "wall", "rug"))


class Keeper(nn.Module):
    """Keeps the types that reached it."""

    def forward(self, one: torch.Tensor, many: list[torch.Tensor]) -> list[torch.dtype]:
        return [one.dtype, *(each.dtype for each in many)]


def test_a_module_in_float32_takes_any_floats_and_leaves_ids_alone() -> None:
    module = Keeper()
    fed_float32(module)
    types = module(torch.zeros(1).half(), [torch.zeros(1).bfloat16(), torch.zeros(1).long()])
    assert types == [torch.float32, torch.float32, torch.int64]
