"""A server, a hub and a folder of weights for each test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ssa.weights.manifest import MANIFEST_NAME
from tests.weights.world import as_hub, build_world, checkpoint, entry, model, write_manifest
from tests.weights_server import Server, serving


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def hub(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    return as_hub(server, monkeypatch)


@pytest.fixture
def world(hub: Server, tmp_path: Path) -> Path:
    return build_world(hub, tmp_path / "weights")


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
