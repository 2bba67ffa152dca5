"""Shipped bundles: checked against the manifest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ssa.errors import WeightsError
from ssa.weights import load_manifest, open_bundle, verify
from ssa.weights.download import download
from ssa.weights.manifest import MANIFEST_NAME, ROLES
from ssa.weights.seal import seal
from tests.weights.world import (
    QUICK,
    fill_tiny,
    sha,
    write_manifest,
)


def test_a_sealed_bundle_is_checked_against_the_manifest(world: Path) -> None:
    fill_tiny(world)
    (world / "tiny/README.md").write_text("not a weight")
    (world / "tiny/clip/.hidden").write_text("not one either")
    before = (world / MANIFEST_NAME).read_text()
    assert seal("tiny", world) == 7
    assert (world / MANIFEST_NAME).read_text() == before
    verify(open_bundle(world, "tiny"))
    (world / "tiny/clip/model.safetensors").write_bytes(b"pilc")
    with pytest.raises(WeightsError, match="git checkout -- weights/tiny") as caught:
        verify(open_bundle(world, "tiny"))
    assert sha(b"pilc") in str(caught.value)
    seal("tiny", world)
    verify(open_bundle(world, "tiny"))


def test_a_bundle_may_stand_on_another_ones_models(world: Path) -> None:
    fill_tiny(world)
    raw = json.loads((world / MANIFEST_NAME).read_text())
    lent = {role: [f"tiny_{role}"] for role in ROLES if role != "sam"}
    raw["bundles"]["newer"] = {"purpose": "drawings too", "roles": {"sam": [], **lent}}
    write_manifest(world, raw)
    own = world / "newer/sam/model.safetensors"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"newer")
    assert seal("newer", world) == 1
    assert load_manifest(world).bundle("tiny") == open_bundle(world, "tiny").spec
    bundle = open_bundle(world, "newer")
    verify(bundle)
    assert bundle.folder("sam") == own.parent
    assert bundle.folder("clip") == world / "tiny/clip"
    assert set(bundle.folders()) == set(ROLES)
    (world / "tiny/clip/model.safetensors").write_bytes(b"pilc")
    remedy = "git checkout -- weights/newer weights/tiny$"
    with pytest.raises(WeightsError, match=remedy) as caught:
        verify(bundle)
    assert "\n  tiny/clip/model.safetensors" in str(caught.value)
    # What another bundle lends is sealed with that one.
    assert seal("newer", world) == 1
    with pytest.raises(WeightsError):
        verify(open_bundle(world, "newer"))
    seal("tiny", world)
    verify(open_bundle(world, "newer"))


def test_a_bundle_without_a_model_for_a_role_is_not_whole(world: Path) -> None:
    fill_tiny(world)
    (world / "tiny/clip/model.safetensors").unlink()
    seal("tiny", world)
    with pytest.raises(WeightsError, match="tiny/clip: no files listed"):
        verify(open_bundle(world, "tiny"))


def test_sealing_and_downloading_are_for_different_bundles(world: Path) -> None:
    with pytest.raises(WeightsError, match="light is downloaded"):
        seal("light", world)
    with pytest.raises(WeightsError, match="nothing to download"):
        download("tiny", world, **QUICK)
