"""Bundles brought from a server, end to end."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

import pytest

from ssa.errors import DownloadError, WeightsError
from ssa.weights import open_bundle, verify
from ssa.weights.download import RUNNING_NAME, download
from ssa.weights.lock import read_lock
from ssa.weights.manifest import MANIFEST_NAME
from tests.weights.world import (
    COMMIT,
    QUICK,
    checkpoint,
    contents,
    edit_manifest,
    put_hub_file,
    sha,
    write_manifest,
)
from tests.weights_server import Server


def test_a_bundle_is_brought_whole(world: Path) -> None:
    from safetensors.torch import load_file

    bundle = download("light", world, **QUICK)
    verify(bundle)
    found = contents(bundle.path)
    assert found.pop(RUNNING_NAME) == b""
    assert len(found) == 1 + 2 + 1 + 5 * 2 + 1  # sam, nouns, classes, five roles, the lock
    assert found["coco_segmentor/config.json"] == b"coco_segmentor"
    assert found["clip/config.json"] == b"clip"
    assert found["coco_segmentor/classes.json"] == b'{"0": "sky"}'
    assert found["clipseg/model.bin"] == b"clipseg" * 9
    assert found["nouns/vocab/strings.json"] == b"[]"
    assert load_file(bundle.folder("sam") / "model.safetensors")["weight"].tolist() == [*range(6)]


def test_a_second_run_asks_for_nothing(world: Path, hub: Server) -> None:
    before = contents(download("light", world, **QUICK).path)
    hub.requests.clear()
    assert contents(download("light", world, **QUICK).path) == before
    assert hub.requests == []


def test_a_failed_download_keeps_what_it_has_and_goes_on(world: Path, hub: Server) -> None:
    page = hub.pages.pop(f"/them/clip/resolve/{COMMIT}/weights.bin")
    with pytest.raises(DownloadError, match=r"clip@cccccccccccc/weights\.bin: HTTP 404"):
        download("light", world, **QUICK)
    bundle = open_bundle(world, "light")
    assert (bundle.path / "clip/config.json").read_bytes() == b"clip"
    assert not (bundle.path / "clip/model.bin").exists()
    with pytest.raises(WeightsError, match=r"light/clip/model\.bin is missing"):
        verify(bundle)
    hub.pages[f"/them/clip/resolve/{COMMIT}/weights.bin"] = page
    hub.requests.clear()
    verify(download("light", world, **QUICK))
    brought = [path.split("/")[2] for path in hub.gets() if path.startswith("/them/")]
    assert brought == ["clip", "clipseg", "clipseg"]


def test_a_download_cut_in_the_middle_of_a_file_goes_on_there(world: Path, hub: Server) -> None:
    hub.pages["/sam.pth"].faults = ["100", "status 503"]
    with pytest.raises(DownloadError, match="go on from here"):
        download("light", world, waits_s=(), progress=False)
    assert not (world / "light/sam").exists()
    hub.pages["/sam.pth"].faults = []
    verify(download("light", world, **QUICK))
    assert ("GET", "/sam.pth", "bytes=100-", '"v1"') in hub.requests


def test_content_must_be_what_the_hub_says_it_is(world: Path, hub: Server) -> None:
    hub.pages[f"/them/clip/resolve/{COMMIT}/weights.bin"].body = b"CLIP" * 9
    with pytest.raises(DownloadError, match="expected sha256"):
        download("light", world, **QUICK)
    assert not (world / "light/clip/model.bin").exists()


def test_another_revision_in_the_manifest_asks_for_a_new_download(world: Path, hub: Server) -> None:
    download("light", world, **QUICK)
    raw = json.loads((world / MANIFEST_NAME).read_text())
    raw["models"]["clip"]["source"]["revision"] = "main"
    write_manifest(world, raw)
    put_hub_file(hub, "them/clip", "config.json", b"new clip", revision="main")
    put_hub_file(hub, "them/clip", "weights.bin", b"new", revision="main", lfs=True)
    with pytest.raises(WeightsError, match=r"another version: .*them/clip@main/weights\.bin"):
        verify(open_bundle(world, "light"))
    bundle = download("light", world, **QUICK)
    verify(bundle)
    assert (bundle.path / "clip/model.bin").read_bytes() == b"new"


def test_a_branch_is_pinned_by_the_first_file_of_its_repository(world: Path, hub: Server) -> None:
    """A model's files are of one commit, whatever its branch has come to when they are fetched."""
    raw = json.loads((world / MANIFEST_NAME).read_text())
    raw["models"]["clip"]["source"]["revision"] = "main"
    write_manifest(world, raw)
    put_hub_file(hub, "them/clip", "config.json", b"clip", revision="main")
    hub.pages[f"/them/clip/resolve/{COMMIT}/weights.bin"].faults = ["status 404"]
    with pytest.raises(DownloadError):
        download("light", world, **QUICK)

    later = "e" * 40
    for file in ("config.json", "weights.bin"):
        put_hub_file(hub, "them/clip", file, b"moved on", "main", commit=later)
    bundle = download("light", world, **QUICK)
    assert (bundle.path / "clip/model.bin").read_bytes() == b"clip" * 9
    (bundle.path / "clip/config.json").unlink()
    verify(download("light", world, **QUICK))
    assert (bundle.path / "clip/config.json").read_bytes() == b"clip"
    revisions = {one.revision for one in read_lock(bundle.path).values() if "clip/" in one.path}
    assert revisions == {COMMIT}


def test_unpacking_again_leaves_nothing_of_the_old_folder(world: Path) -> None:
    bundle = download("light", world, **QUICK)
    (bundle.path / "nouns/stale").write_bytes(b"")
    (bundle.path / "nouns/config.cfg").unlink()
    download("light", world, **QUICK)
    assert sorted(os.listdir(bundle.folder("nouns"))) == ["config.cfg", "vocab"]


def test_a_folder_in_the_way_of_a_file_is_an_error_not_a_loss(world: Path) -> None:
    (world / "light/clip/model.bin/precious").mkdir(parents=True)
    with pytest.raises(DownloadError, match=r"light/clip/model\.bin can't be written"):
        download("light", world, **QUICK)
    assert (world / "light/clip/model.bin/precious").is_dir()


def test_two_downloads_of_one_bundle_do_not_mix(world: Path) -> None:
    (world / "light").mkdir()
    with (world / "light" / RUNNING_NAME).open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        with pytest.raises(WeightsError, match="another download of light is running"):
            download("light", world, **QUICK)
    held = (world / "light" / RUNNING_NAME).stat().st_ino
    download("light", world, **QUICK)
    assert (world / "light" / RUNNING_NAME).stat().st_ino == held


def test_a_disk_that_is_too_small_is_said_before_anything_is_brought(
    world: Path, hub: Server
) -> None:
    edit_manifest(world, "sam", size=10**18)
    with pytest.raises(WeightsError, match=r"needs about 2000000000\.0 GB of disk, .* are free"):
        download("light", world, **QUICK)
    assert hub.requests == []


def test_the_first_download_pins_an_optional_role_that_the_manifest_can_not(
    optional: Path, hub: Server
) -> None:
    bundle = download("light", optional, optional_roles=["semantic_sam"], **QUICK)
    (bundle.folder("semantic_sam") / "model.safetensors").unlink()
    hub.put("/semantic.pth", b"x" * len(checkpoint()))
    with pytest.raises(DownloadError, match=f"expected sha256 {sha(checkpoint())}"):
        download("light", optional, **QUICK)
