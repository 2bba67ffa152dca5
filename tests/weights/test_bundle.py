"""Bundles: folders of roles, with optional ones or without."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssa.errors import WeightsError
from ssa.weights import choose_bundle, open_bundle, verify
from ssa.weights.download import download
from ssa.weights.lock import read_lock
from ssa.weights.manifest import MANIFEST_NAME, ROLES
from ssa.weights.seal import seal
from tests.weights.world import (
    QUICK,
    checkpoint,
    fill_tiny,
    sha,
)
from tests.weights_server import Server


def test_a_bundle_is_whole_without_its_optional_role(optional: Path, hub: Server) -> None:
    bundle = download("light", optional, **QUICK)
    verify(bundle)
    assert choose_bundle(optional).name == "light"
    assert bundle.has("sam")
    assert not bundle.has("semantic_sam")
    assert not bundle.folder("semantic_sam").exists()
    assert "/semantic.pth" not in hub.gets()
    assert bundle.remedy_for("semantic_sam").endswith("download_weights light --with semantic-sam")


def test_an_optional_role_once_brought_belongs_to_the_bundle(optional: Path, hub: Server) -> None:
    download("light", optional, **QUICK)
    hub.requests.clear()
    bundle = download("light", optional, optional_roles=["semantic_sam"], **QUICK)
    assert hub.gets() == ["/semantic.pth"]
    verify(bundle)
    assert bundle.has("semantic_sam")
    path = bundle.folder("semantic_sam") / "model.safetensors"
    assert read_lock(bundle.path)["semantic_sam/model.safetensors"].sha256 == sha(checkpoint())
    path.unlink()
    with pytest.raises(WeightsError, match=r"light/semantic_sam/model\.safetensors is missing"):
        verify(bundle)
    verify(download("light", optional, **QUICK))
    assert path.is_file()


def test_a_role_that_is_not_offered_is_refused(world: Path) -> None:
    with pytest.raises(WeightsError, match="no optional role 'semantic_sam': it offers none"):
        download("light", world, optional_roles=["semantic_sam"], **QUICK)
    with pytest.raises(WeightsError, match="no optional role 'clip'"):
        download("light", world, optional_roles=["clip"], **QUICK)
    bundle = open_bundle(world, "light")
    assert bundle.remedy_for("semantic_sam") == (
        "light offers none: use another bundle, or put one together with: "
        "ssa weights compose NAME --from light --semantic-sam DIR"
    )
    with pytest.raises(WeightsError, match="no role is called 'clop'"):
        bundle.has("clop")


def test_a_shipped_optional_role_must_be_there(world: Path) -> None:
    fill_tiny(world)
    before = (world / MANIFEST_NAME).read_text()
    assert not open_bundle(world, "tiny").has("semantic_sam")
    assert "semantic_sam" not in before
    folder = world / "tiny/semantic_sam"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    assert seal("tiny", world) == len(ROLES) + 1
    bundle = open_bundle(world, "tiny")
    assert bundle.has("semantic_sam")
    verify(bundle)
    (folder / "model.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"tiny/semantic_sam/model\.safetensors is missing"):
        verify(bundle)
    assert seal("tiny", world) == len(ROLES)
    assert (world / MANIFEST_NAME).read_text() == before
    verify(open_bundle(world, "tiny"))


def test_roles_have_folders(world: Path) -> None:
    bundle = open_bundle(world, "light")
    assert bundle.folder("clip") == world / "light/clip"
    with pytest.raises(WeightsError, match="no role is called 'clop'"):
        bundle.folder("clop")
