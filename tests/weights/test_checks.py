"""Whether a bundle is whole: damage is named and repaired."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssa.errors import WeightsError
from ssa.weights import choose_bundle, verify
from ssa.weights.download import download
from tests.weights.world import (
    QUICK,
    contents,
    sha,
)
from tests.weights_server import Server


@pytest.mark.parametrize(
    "path", ["sam/model.safetensors", "nouns/config.cfg", "clip/config.json", "clipseg/model.bin"]
)
def test_damage_is_named_and_repaired(world: Path, hub: Server, path: str) -> None:
    bundle = download("light", world, **QUICK)
    before = contents(bundle.path)
    data = bytearray(before[path])
    data[-1] ^= 1
    (bundle.path / path).write_bytes(data)
    with pytest.raises(WeightsError) as caught:
        verify(bundle)
    for part in (
        f"light/{path} is damaged",
        sha(before[path]),
        sha(data),
        "download_weights light",
    ):
        assert part in str(caught.value)
    hub.requests.clear()
    verify(download("light", world, **QUICK))
    assert contents(bundle.path) == before
    assert len(hub.gets()) == 1


def test_a_missing_file_is_named_with_the_command_that_brings_it(world: Path) -> None:
    bundle = download("light", world, **QUICK)
    (bundle.path / "clip/model.bin").unlink()
    for check in (verify, lambda b: choose_bundle(b.root, "light")):
        with pytest.raises(WeightsError) as caught:
            check(bundle)
        assert "light/clip/model.bin is missing" in str(caught.value)
        assert "./scripts/download_weights light" in str(caught.value)


def test_a_file_of_the_wrong_length_is_found_without_hashing(world: Path) -> None:
    bundle = download("light", world, **QUICK)
    with (bundle.path / "clip/model.bin").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(WeightsError, match="expected 36 bytes, found 37"):
        verify(bundle, quick=True)


def test_quick_leaves_large_files_unread(
    world: Path, hub: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = download("light", world, **QUICK)
    (bundle.path / "clip/model.bin").write_bytes(b"X" * 36)
    with pytest.raises(WeightsError, match=r"light/clip/model\.bin is damaged"):
        verify(bundle, quick=True)
    monkeypatch.setattr("ssa.weights.checks.QUICK_LIMIT_BYTES", 35)
    verify(bundle, quick=True)
