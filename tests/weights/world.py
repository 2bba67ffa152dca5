"""A server, a hub and a folder of weights to try downloads on: small, made up, and complete."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path

import pytest

from ssa.weights.manifest import MANIFEST_NAME, ROLES
from ssa.weights.manifest_format import format_manifest
from ssa.weights.seal import seal
from tests.weights_server import Server

BODY = bytes(range(256)) * 40
QUICK = {"waits_s": (0.0, 0.0), "progress": False}
COMMIT = "c" * 40


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def as_hub(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The server, asked wherever the hub would be."""
    import huggingface_hub.constants

    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    return server


def put_hub_file(
    server: Server,
    repo: str,
    file: str,
    body: bytes,
    revision: str = COMMIT,
    lfs: bool = False,
    commit: str = COMMIT,
) -> None:
    """Serve a file as the hub does, under its revision and its commit."""
    etag = f'"{sha(body)}"' if lfs else f'"{hashlib.sha1(body).hexdigest()}"'
    for name in {revision, commit}:
        path = f"/{repo}/resolve/{name}/{file}"
        server.put(path, body, etag=etag, headers={"X-Repo-Commit": commit})


def archive(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as opened:
        for name, content in members:
            opened.writestr(name, content)
    return stream.getvalue()


def checkpoint() -> bytes:
    import torch

    stream = io.BytesIO()
    torch.save({"weight": torch.arange(6.0)}, stream)
    return stream.getvalue()


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


def build_world(hub: Server, root: Path) -> Path:
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
    root.mkdir()
    write_manifest(root, {"bundles": bundles, "models": models})
    return root


def fill_tiny(root: Path) -> None:
    for role in ROLES:
        (root / "tiny" / role).mkdir(parents=True)
        (root / "tiny" / role / "model.safetensors").write_bytes(role.encode())
    seal("tiny", root)
