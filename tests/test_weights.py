"""Bundles of weights: fetched from a loopback server, converted, locked, verified, chosen, sealed."""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssa.cli import app
from ssa.errors import DownloadError, WeightsError
from ssa.weights import SHIPPED_ROOT, choose_bundle, load_manifest, open_bundle, verify
from ssa.weights.convert import to_safetensors, unpack
from ssa.weights.download import RUNNING_NAME, download
from ssa.weights.fetch import check_url, fetch
from ssa.weights.files import human_size
from ssa.weights.hub import locate
from ssa.weights.lock import LOCK_NAME, read_lock
from ssa.weights.manifest import MANIFEST_NAME, OPTIONAL_ROLES, ROLES, Source, format_manifest
from ssa.weights.seal import seal
from tests.weights_server import Server, serving

BODY = bytes(range(256)) * 40
QUICK = {"waits_s": (0.0, 0.0), "progress": False}
COMMIT = "c" * 40


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def hub(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    import huggingface_hub.constants

    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    return server


# --- one file over HTTP -------------------------------------------------------------------------------


def test_fetch_brings_the_file_and_leaves_nothing_else(server: Server, tmp_path: Path) -> None:
    url = server.put("/a.bin", BODY)
    digest = fetch(url, tmp_path / "deep/a.bin", size=len(BODY), sha256=sha(BODY), **QUICK)
    assert digest == sha(BODY)
    assert (tmp_path / "deep/a.bin").read_bytes() == BODY
    assert os.listdir(tmp_path / "deep") == ["a.bin"]


@pytest.mark.parametrize("promise", [{"sha256": "0" * 64}, {"size": len(BODY) + 1}, {"size": 7}])
def test_fetch_refuses_what_was_not_promised(
    server: Server, tmp_path: Path, promise: dict[str, object]
) -> None:
    url = server.put("/a.bin", BODY)
    with pytest.raises(DownloadError, match="expected"):
        fetch(url, tmp_path / "a.bin", **promise, **QUICK)
    assert os.listdir(tmp_path) == []


def test_fetch_resumes_after_a_dropped_connection(server: Server, tmp_path: Path) -> None:
    url = server.put("/a.bin", BODY, faults=["1000", "2000"])
    assert fetch(url, tmp_path / "a.bin", **QUICK) == sha(BODY)
    assert [request[2:] for request in server.requests] == [
        (None, None),
        ("bytes=1000-", '"v1"'),
        ("bytes=3000-", '"v1"'),
    ]


def test_fetch_goes_on_where_an_earlier_run_stopped(server: Server, tmp_path: Path) -> None:
    url = server.put("/a.bin", BODY, faults=["4000", "status 500"])
    with pytest.raises(DownloadError, match="go on from here"):
        fetch(url, tmp_path / "a.bin", waits_s=(), progress=False)
    assert not (tmp_path / "a.bin").exists()
    server.pages["/a.bin"].faults.clear()
    fetch(url, tmp_path / "a.bin", **QUICK)
    assert server.requests[-1][2] == "bytes=4000-"
    assert (tmp_path / "a.bin").read_bytes() == BODY


def test_fetch_starts_over_when_the_file_has_changed(server: Server, tmp_path: Path) -> None:
    url = server.put("/a.bin", BODY, faults=["4000"])
    with pytest.raises(DownloadError):
        fetch(url, tmp_path / "a.bin", waits_s=(), progress=False)
    server.put("/a.bin", b"new" * 3000, etag='"v2"')
    fetch(url, tmp_path / "a.bin", **QUICK)
    assert (tmp_path / "a.bin").read_bytes() == b"new" * 3000


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_fetch_without_a_strong_etag_relies_on_the_hash(
    server: Server, tmp_path: Path, etag: str | None
) -> None:
    url = server.put("/a.bin", BODY, etag=etag, faults=["4000"])
    fetch(url, tmp_path / "a.bin", sha256=sha(BODY), **QUICK)
    assert server.requests[-1][2:] == ("bytes=4000-", None)


def test_fetch_copes_with_a_server_that_ignores_ranges(server: Server, tmp_path: Path) -> None:
    url = server.put("/a.bin", BODY, ranges=False, faults=["4000"])
    assert fetch(url, tmp_path / "a.bin", **QUICK) == sha(BODY)
    assert (tmp_path / "a.bin").stat().st_size == len(BODY)


def test_fetch_needs_no_content_length(server: Server, tmp_path: Path) -> None:
    url = server.put("/a.bin", BODY, length=False, faults=["4000"])
    fetch(url, tmp_path / "a.bin", size=len(BODY), **QUICK)
    assert server.requests[-1][2] == "bytes=4000-"
    assert (tmp_path / "a.bin").read_bytes() == BODY
    with pytest.raises(DownloadError, match="expected 9000 bytes, got 10240; nothing was kept"):
        fetch(url, tmp_path / "b.bin", size=9000, **QUICK)
    assert os.listdir(tmp_path) == ["a.bin"]


def test_fetch_gives_up_on_a_body_that_is_always_short(server: Server, tmp_path: Path) -> None:
    url = server.put("/a.bin", BODY, ranges=False, faults=["4000"] * 9)
    with pytest.raises(DownloadError, match="closed after 4000 of 10240 bytes"):
        fetch(url, tmp_path / "a.bin", **QUICK)
    assert not (tmp_path / "a.bin").exists()
    assert len(server.requests) == 3


def test_fetch_throws_away_a_part_that_is_longer_than_the_file(
    server: Server, tmp_path: Path
) -> None:
    (tmp_path / "a.bin.part").write_bytes(b"x" * (len(BODY) + 5))
    fetch(server.put("/a.bin", BODY), tmp_path / "a.bin", **QUICK)
    assert (tmp_path / "a.bin").read_bytes() == BODY


@pytest.mark.parametrize("name", ["a.bin", "a.bin.part"])
def test_fetch_does_not_bring_what_is_already_whole(
    server: Server, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(BODY)
    url = server.put("/a.bin", BODY)
    fetch(url, tmp_path / "a.bin", size=len(BODY), sha256=sha(BODY), **QUICK)
    assert server.requests == []
    assert os.listdir(tmp_path) == ["a.bin"]


def test_fetch_tries_again_after_server_errors_but_not_after_a_404(
    server: Server, tmp_path: Path
) -> None:
    url = server.put("/a.bin", BODY, faults=["status 500", "status 429"])
    fetch(url, tmp_path / "a.bin", **QUICK)
    with pytest.raises(DownloadError, match="HTTP 404"):
        fetch(server.url + "/none", tmp_path / "b.bin", **QUICK)
    assert server.gets().count("/none") == 1


def test_fetch_reports_a_server_that_is_not_there(tmp_path: Path) -> None:
    with serving() as gone:
        url = gone.url
    with pytest.raises(DownloadError, match="connection failed"):
        fetch(url + "/a", tmp_path / "a", **QUICK)


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(1, 4000), max_size=6), ranges=st.booleans())
def test_fetch_brings_the_same_bytes_however_often_it_is_cut(cuts: list[int], ranges: bool) -> None:
    with serving() as server, tempfile.TemporaryDirectory() as folder:
        url = server.put("/a.bin", BODY, ranges=ranges, faults=[str(cut) for cut in cuts])
        fetch(url, Path(folder, "a.bin"), waits_s=(0.0,) * 7, progress=False)
        assert Path(folder, "a.bin").read_bytes() == BODY


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/a",
        "file:///etc/passwd",
        "http://localhost.example.com/",
        "ftp://[::1]/",
        "",
    ],
)
def test_only_https_and_loopback_are_asked(url: str) -> None:
    with pytest.raises(DownloadError, match="https"):
        check_url(url)


@pytest.mark.parametrize("url", ["https://example.com/a", "http://127.0.0.1:1/", "http://[::1]/"])
def test_https_and_loopback_are_fine(url: str) -> None:
    check_url(url)


def test_a_redirect_leads_nowhere_a_url_may_not(server: Server, tmp_path: Path) -> None:
    server.put("/good", status=302, headers={"Location": "/a.bin"})
    server.put("/bad", status=302, headers={"Location": "http://example.com/a.bin"})
    server.put("/a.bin", BODY)
    assert fetch(server.url + "/good", tmp_path / "a", **QUICK) == sha(BODY)
    with pytest.raises(DownloadError, match="https only"):
        fetch(server.url + "/bad", tmp_path / "b", **QUICK)


# --- the hub ------------------------------------------------------------------------------------------


def put_hub_file(
    server: Server, repo: str, file: str, body: bytes, revision: str = COMMIT, lfs: bool = False
) -> None:
    """Serve a file as the hub does, under its revision and its commit."""
    etag = f'"{sha(body)}"' if lfs else f'"{hashlib.sha1(body).hexdigest()}"'
    for name in {revision, COMMIT}:
        path = f"/{repo}/resolve/{name}/{file}"
        server.put(path, body, etag=etag, headers={"X-Repo-Commit": COMMIT})


def test_locate_finds_commit_size_and_hash(hub: Server) -> None:
    put_hub_file(hub, "them/model", "big.bin", BODY, revision="main", lfs=True)
    found = locate(Source(hub="them/model", revision="main", file="big.bin"), ())
    assert found.url == f"{hub.url}/them/model/resolve/{COMMIT}/big.bin"
    assert (found.revision, found.size, found.sha256) == (COMMIT, len(BODY), sha(BODY))


def test_locate_knows_no_sha256_of_a_file_outside_lfs(hub: Server) -> None:
    put_hub_file(hub, "datasets/them/data", "small.json", b"{}")
    source = Source(hub="them/data", repo_type="dataset", revision=COMMIT, file="small.json")
    assert locate(source, ()).sha256 is None


def test_locate_refuses_another_commit_than_the_pinned_one(hub: Server) -> None:
    put_hub_file(hub, "them/model", "a", BODY, revision="d" * 40)
    with pytest.raises(DownloadError, match=f"answered with commit {COMMIT}"):
        locate(Source(hub="them/model", revision="d" * 40, file="a"), ())


def test_locate_refuses_a_server_that_is_no_hub(hub: Server) -> None:
    hub.put("/them/model/resolve/main/a", BODY)
    with pytest.raises(DownloadError, match="names no commit"):
        locate(Source(hub="them/model", revision="main", file="a"), ())


def test_locate_says_what_is_not_there(hub: Server) -> None:
    with pytest.raises(DownloadError, match="them/model@main/a: HTTP 404"):
        locate(Source(hub="them/model", revision="main", file="a"), ())


def test_locate_waits_for_a_hub_that_is_down(hub: Server) -> None:
    hub.put("/them/model/resolve/main/a", status=503)
    with pytest.raises(DownloadError, match="them/model@main/a: HTTP 503"):
        locate(Source(hub="them/model", revision="main", file="a"), (0.0, 0.0))
    assert len(hub.requests) == 3


def test_locate_says_when_the_hub_is_out_of_reach(
    hub: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as gone:
        monkeypatch.setenv("HF_ENDPOINT", gone.url)
    with pytest.raises(DownloadError, match="out of reach"):
        locate(Source(hub="them/model", revision="main", file="a"), (0.0,))


def test_locate_refuses_plain_http_to_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.example.com")
    with pytest.raises(DownloadError, match="https only"):
        locate(Source(hub="them/model", revision="main", file="a"), ())


def test_locate_names_the_switch_that_keeps_it_offline(
    hub: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadError, match="HF_HUB_OFFLINE is set"):
        locate(Source(hub="them/model", revision="main", file="a"), ())


# --- conversion ---------------------------------------------------------------------------------------


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


def archive(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as opened:
        for name, content in members:
            opened.writestr(name, content)
    return stream.getvalue()


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


# --- a bundle, end to end -----------------------------------------------------------------------------


def checkpoint() -> bytes:
    import torch

    stream = io.BytesIO()
    torch.save({"weight": torch.arange(6.0)}, stream)
    return stream.getvalue()


@pytest.fixture
def world(hub: Server, tmp_path: Path) -> Path:
    """A weights folder whose manifest names a "light" bundle on the server and a shipped "tiny" one."""
    wheel = archive(("n/n-1/config.cfg", b"[nlp]"), ("n/n-1/vocab/strings.json", b"[]"))
    sam_url = hub.put("/sam.pth", checkpoint())
    nouns_url = hub.put("/n.whl", wheel)
    models: dict[str, object] = {
        "sam": model(
            {"url": sam_url}, entry("model.safetensors", checkpoint(), convert="safetensors")
        ),
        "nouns": model({"url": nouns_url}, entry(".", wheel, convert="unpack", prefix="n/n-1/")),
        "classes": model(
            {"hub": "them/data", "repo_type": "dataset", "revision": COMMIT}, entry("classes.json")
        ),
    }
    put_hub_file(hub, "datasets/them/data", "classes.json", b'{"0": "sky"}')
    roles: dict[str, list[str]] = {"sam": ["sam"], "nouns": ["nouns"]}
    for role in ROLES[1:6]:
        put_hub_file(hub, f"them/{role}", "config.json", role.encode())
        put_hub_file(hub, f"them/{role}", "weights.bin", role.encode() * 9, lfs=True)
        files = entry("config.json"), entry("model.bin", file="weights.bin")
        models[role] = model({"hub": f"them/{role}", "revision": COMMIT}, *files)
        roles[role] = [role, "classes"] if role == "coco_segmentor" else [role]
    bundles = {
        "light": {"purpose": "a test", "roles": roles},
        "tiny": {"purpose": "drawings", "roles": {}},
    }
    root = tmp_path / "weights"
    root.mkdir()
    write_manifest(root, {"bundles": bundles, "models": models})
    return root


def model(source: object, *files: object) -> dict[str, object]:
    return {"licence": "MIT", "source": source, "files": list(files)}


def entry(path: str, body: bytes | None = None, **extra: object) -> dict[str, object]:
    known = {"size": len(body), "sha256": sha(body)} if body else {"size": None, "sha256": None}
    return {"path": path, **extra, **known}


def write_manifest(root: Path, raw: object) -> None:
    (root / MANIFEST_NAME).write_text(format_manifest(raw))


def edit_manifest(root: Path, model: str, **changes: object) -> None:
    """Change the first file entry of a model."""
    raw = json.loads((root / MANIFEST_NAME).read_text())
    raw["models"][model]["files"][0].update(changes)
    write_manifest(root, raw)


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


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


def test_a_second_run_asks_for_nothing(world: Path, hub: Server) -> None:
    before = contents(download("light", world, **QUICK).path)
    hub.requests.clear()
    assert contents(download("light", world, **QUICK).path) == before
    assert hub.requests == []


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


# --- optional roles -----------------------------------------------------------------------------------


@pytest.fixture
def optional(world: Path, hub: Server) -> Path:
    """The weights folder whose "light" also offers Semantic-SAM."""
    url = hub.put("/semantic.pth", checkpoint())
    raw = json.loads((world / MANIFEST_NAME).read_text())
    raw["models"]["semantic"] = model(
        {"url": url}, entry("model.safetensors", convert="safetensors")
    )
    raw["bundles"]["light"]["roles"]["semantic_sam"] = ["semantic"]
    write_manifest(world, raw)
    return world


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


def test_the_first_download_pins_an_optional_role_that_the_manifest_can_not(
    optional: Path, hub: Server
) -> None:
    bundle = download("light", optional, optional_roles=["semantic_sam"], **QUICK)
    (bundle.folder("semantic_sam") / "model.safetensors").unlink()
    hub.put("/semantic.pth", b"x" * len(checkpoint()))
    with pytest.raises(DownloadError, match=f"expected sha256 {sha(checkpoint())}"):
        download("light", optional, **QUICK)


def test_a_role_that_is_not_offered_is_refused(world: Path) -> None:
    with pytest.raises(WeightsError, match="no optional role 'semantic_sam': it offers none"):
        download("light", world, optional_roles=["semantic_sam"], **QUICK)
    with pytest.raises(WeightsError, match="no optional role 'clip'"):
        download("light", world, optional_roles=["clip"], **QUICK)
    bundle = open_bundle(world, "light")
    assert "light offers none" in bundle.remedy_for("semantic_sam")
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


# --- choosing -----------------------------------------------------------------------------------------


def fill_tiny(root: Path) -> None:
    for role in ROLES:
        (root / "tiny" / role).mkdir(parents=True)
        (root / "tiny" / role / "model.safetensors").write_bytes(role.encode())
    seal("tiny", root)


def test_the_best_bundle_present_is_chosen(world: Path) -> None:
    with pytest.raises(WeightsError, match="no bundle of weights is complete"):
        choose_bundle(world)
    fill_tiny(world)
    assert choose_bundle(world).name == "tiny"
    download("light", world, **QUICK)
    assert (choose_bundle(world).name, choose_bundle(world).purpose) == ("light", "a test")
    assert choose_bundle(world, "tiny").name == "tiny"


def test_an_incomplete_bundle_is_passed_over_aloud(
    world: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill_tiny(world)
    (download("light", world, **QUICK).path / "clip/config.json").unlink()
    assert choose_bundle(world).name == "tiny"
    assert "passed over light: light/clip/config.json is missing" in caplog.text


def test_a_bundle_asked_for_is_never_replaced_by_another(world: Path) -> None:
    fill_tiny(world)
    with pytest.raises(WeightsError, match=r"\./scripts/download_weights light"):
        choose_bundle(world, "light")
    with pytest.raises(WeightsError, match="no bundle is called 'huge': use light, tiny"):
        choose_bundle(world, "huge")


def test_roles_have_folders(world: Path) -> None:
    bundle = open_bundle(world, "light")
    assert bundle.folder("clip") == world / "light/clip"
    with pytest.raises(WeightsError, match="no role is called 'clop'"):
        bundle.folder("clop")


# --- sealing ------------------------------------------------------------------------------------------


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


# --- the manifest of this repository ------------------------------------------------------------------


def test_the_manifest_names_every_role_and_pins_every_file() -> None:
    bundles = load_manifest().bundles
    assert list(bundles) == ["base", "light", "tiny"]
    for spec in (bundles["base"], bundles["light"]):
        assert spec.empty_roles == ()
        assert spec.optional_roles == OPTIONAL_ROLES
        for file in spec.files:
            pinned = re.fullmatch("[0-9a-f]{40}", file.source.revision) or file.sha256
            # Nobody could look at the optional ones yet: the first download pins them.
            assert pinned or file.optional, f"{file.path} could change under us"
            assert file.about or file.size is None
            check_url(file.source.url or "https://huggingface.co")
            assert not file.path.endswith((".bin", ".pth", ".pt", ".whl"))


def test_the_manifest_is_written_the_way_seal_writes_it() -> None:
    text = (SHIPPED_ROOT / MANIFEST_NAME).read_text()
    assert format_manifest(json.loads(text)) + "\n" == text


def test_the_readme_lists_each_model_with_its_licence() -> None:
    raw = json.loads((SHIPPED_ROOT / MANIFEST_NAME).read_text())
    readme = (SHIPPED_ROOT / "README.md").read_text()
    for name, table in raw["models"].items():
        if table["source"] != "repository":
            assert re.search(rf"\| `{name}` \|.*\| {re.escape(table['licence'])} \|", readme), name


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        ("clip", {"path": "../clop"}),
        ("clip", {"path": "/etc/passwd"}),
        ("clip", {"sha256": "ABC"}),
        ("clip", {"convert": "magic"}),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(
    world: Path, model: str, changes: dict[str, str]
) -> None:
    edit_manifest(world, model, **changes)
    with pytest.raises(WeightsError, match=r"manifest\.json can't be read"):
        load_manifest(world)


def test_sizes_read_well() -> None:
    shown = [human_size(size) for size in (0, 999, 1500, 2_500_000, 2_564_550_879)]
    assert shown == ["0 bytes", "999 bytes", "2 kB", "2 MB", "2.6 GB"]


# --- the command line ---------------------------------------------------------------------------------


def test_the_commands_work_and_fail_in_words(
    world: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = ["--root", str(world)]
    assert weights(["verify", "light", *root]) == 2
    assert "ssa weights: the weights bundle" in capsys.readouterr().err
    assert weights(["download", "light", *root]) == 0
    assert "light is complete" in capsys.readouterr().out
    assert weights(["verify", "light", "--quick", *root]) == 0
    fill_tiny(world)
    assert weights(["seal", "tiny", *root]) == 0
    assert "sealed 7 files" in capsys.readouterr().out
    for wrong in (["download", "tiny"], ["download", "light", "--with", "clip"]):
        with pytest.raises(SystemExit, match="2"):
            weights([*wrong, *root])
    assert weights(["download", "light", "--with", "semantic-sam", *root]) == 2
    assert "it offers none" in capsys.readouterr().err


def weights(typed: list[str]) -> int:
    return app.main(["weights", *typed])


def test_importing_the_package_loads_no_model_library_and_no_downloader() -> None:
    code = "import sys, ssa.weights; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=SHIPPED_ROOT.parent,
        capture_output=True,
        check=True,
        text=True,
    )
    heavy = {"torch", "huggingface_hub", "safetensors", "ssa.weights.fetch", "ssa.weights.download"}
    assert not heavy & set(done.stdout.split())
