"""What the lock says of a bundle, and what it outranks."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssa.errors import DownloadError, WeightsError
from ssa.weights import open_bundle, verify
from ssa.weights.download import download
from ssa.weights.lock import LOCK_NAME, read_lock
from tests.weights.world import (
    COMMIT,
    QUICK,
    checkpoint,
    edit_manifest,
    put_hub_file,
    sha,
)
from tests.weights_server import Server


def test_the_lock_says_what_came(world: Path) -> None:
    lock = read_lock(download("light", world, **QUICK).path)
    clip = lock["clip/model.bin"]
    assert (clip.revision, clip.size, clip.sha256) == (COMMIT, 36, sha(b"clip" * 9))
    assert [file.path for file in lock["nouns"].files] == [
        "nouns/config.cfg",
        "nouns/vocab/strings.json",
    ]
    sam = lock["sam/model.safetensors"]
    assert sam.sha256 == sha(checkpoint()) != sam.files[0].sha256


def test_the_lock_pins_what_the_manifest_does_not(world: Path, hub: Server) -> None:
    bundle = download("light", world, **QUICK)
    (bundle.path / "clip/model.bin").unlink()
    put_hub_file(hub, "them/clip", "weights.bin", b"CLIP" * 9, lfs=True)
    with pytest.raises(DownloadError, match=f"lock {sha(b'clip' * 9)}"):
        download("light", world, **QUICK)


def test_a_hash_in_the_manifest_outranks_lock_and_server(world: Path, hub: Server) -> None:
    bundle = download("light", world, **QUICK)
    edit_manifest(world, "clip", sha256="0" * 64)
    with pytest.raises(WeightsError, match=r"light/clip/config\.json was made from sha256"):
        verify(open_bundle(world, "light"))
    with pytest.raises(DownloadError, match="not the file we know: manifest 0000"):
        download("light", world, **QUICK)
    assert (bundle.path / "clip/config.json").read_bytes() == b"clip"


def test_a_broken_lock_says_so(world: Path) -> None:
    bundle = download("light", world, **QUICK)
    (bundle.path / LOCK_NAME).write_text("{")
    with pytest.raises(WeightsError, match=r"light/bundle\.lock\.json can't be read"):
        verify(bundle)


def test_a_lock_can_not_point_outside_its_bundle(world: Path) -> None:
    lock = download("light", world, **QUICK).path / LOCK_NAME
    lock.write_text(lock.read_text().replace('"clip/config.json"', '"../../x"'))
    with pytest.raises(WeightsError, match="not a path inside"):
        verify(open_bundle(world, "light"))
