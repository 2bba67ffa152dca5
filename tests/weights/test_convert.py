"""Checkpoints as safetensors, archives unpacked: nothing in them runs or escapes."""

from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path

import pytest

from ssa.errors import DownloadError
from ssa.weights.convert import to_safetensors, unpack
from tests.weights.world import (
    archive,
)


def test_a_checkpoint_keeps_names_values_and_types(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    shared = torch.arange(12.0).reshape(3, 4)
    state = {"a": shared, "b": shared, "c": shared.T, "d": shared[1], "e": torch.tensor(7)}
    state["h"] = torch.ones(2, dtype=torch.float16)
    torch.save(state, tmp_path / "m.bin")
    to_safetensors(tmp_path / "m.bin", tmp_path / "m.safetensors")
    loaded = load_file(tmp_path / "m.safetensors")
    assert loaded.keys() == state.keys()
    assert all(
        torch.equal(loaded[k], state[k]) and loaded[k].dtype == state[k].dtype for k in state
    )


class Evil:
    """A pickle of this runs ``os.mkdir`` when it is loaded carelessly."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_a_pickle_that_runs_code_is_refused_and_not_run(tmp_path: Path) -> None:
    import torch

    torch.save({"a": Evil(tmp_path / "owned")}, tmp_path / "zip.bin")
    (tmp_path / "raw.bin").write_bytes(pickle.dumps(Evil(tmp_path / "owned"), protocol=2))
    for name in ("zip.bin", "raw.bin"):
        with pytest.raises(DownloadError, match="plain tensors"):
            to_safetensors(tmp_path / name, tmp_path / "out")
    assert not (tmp_path / "owned").exists()
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_must_be_a_table_of_tensors(tmp_path: Path) -> None:
    import torch

    contents = ([torch.ones(1)], {"a": 1}, {"a": {"b": torch.ones(1)}}, {"model": {"a": 1}})
    for number, content in enumerate(contents):
        torch.save(content, tmp_path / str(number))
        with pytest.raises(DownloadError, match="not a table of tensors"):
            to_safetensors(tmp_path / str(number), tmp_path / "out")


def test_of_a_training_checkpoint_only_the_model_is_kept(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    weights = {"model.weight": torch.arange(3.0)}
    torch.save({"model": weights, "iteration": 7, "optimizer": {"step": 1}}, tmp_path / "a.pth")
    torch.save({"model": weights["model.weight"]}, tmp_path / "b.pth")  # flat, so named by chance
    for name, key in (("a", "model.weight"), ("b", "model")):
        to_safetensors(tmp_path / f"{name}.pth", tmp_path / name)
        loaded = load_file(tmp_path / name)
        assert loaded.keys() == {key}
        assert torch.equal(loaded[key], weights["model.weight"])


def test_unpack_takes_only_the_folder_it_was_told(tmp_path: Path) -> None:
    members = (("pkg/v1/config.cfg", b"1"), ("pkg/v1/ner/model", b"2"), ("pkg/__init__.py", b"3"))
    (tmp_path / "a.whl").write_bytes(archive(*members))
    assert unpack(tmp_path / "a.whl", tmp_path / "out", "pkg/v1/") == ["config.cfg", "ner/model"]
    assert (tmp_path / "out/ner/model").read_bytes() == b"2"
    assert sorted(os.listdir(tmp_path / "out")) == ["config.cfg", "ner"]


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("p/link")
    info.external_attr = 0o120777 << 16
    return info


@pytest.mark.parametrize(
    "name", ["p/../../evil", "p//etc/evil", "p/a/../../../evil", "p/..\\evil", link()]
)
def test_unpack_writes_nothing_of_an_unsafe_archive(
    tmp_path: Path, name: str | zipfile.ZipInfo
) -> None:
    (tmp_path / "a.whl").write_bytes(archive(("p/good", b"1"), (name, b"2")))
    with pytest.raises(DownloadError, match="unsafe entry"):
        unpack(tmp_path / "a.whl", tmp_path / "in/out", "p/")
    assert os.listdir(tmp_path) == ["a.whl"]


@pytest.mark.parametrize(
    ("data", "message"),
    [(archive(("q/a", b"1")), "holds nothing under p/"), (b"no zip", "not a sound zip")],
)
def test_unpack_says_what_is_wrong(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "a.whl").write_bytes(data)
    with pytest.raises(DownloadError, match=message):
        unpack(tmp_path / "a.whl", tmp_path / "out", "p/")
