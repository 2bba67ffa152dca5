"""The manifest of this repository, and others that make no sense."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ssa.errors import WeightsError
from ssa.weights import SHIPPED_ROOT, load_manifest
from ssa.weights.fetch import check_url
from ssa.weights.manifest import MANIFEST_NAME
from ssa.weights.manifest_format import format_manifest
from tests.weights.world import (
    edit_manifest,
    fill_tiny,
    write_manifest,
)


def test_the_manifest_names_every_role_and_pins_every_file() -> None:
    bundles = load_manifest().bundles
    assert list(bundles) == ["base", "light", "modern", "modern-light", "tiny", "tiny-modern"]
    for spec in (bundles["base"], bundles["light"]):
        assert spec.empty_roles == ()
        # How likely names are right is fitted to reviews: nobody offers it for these weights.
        assert spec.optional_roles == ("semantic_sam",)
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
    "folder", ["../tiny/clip", "tiny", "tiny/clip/more", "/tiny/clip", "tiny/.."]
)
def test_a_shipped_model_lies_in_a_bundles_folder_for_a_role(world: Path, folder: str) -> None:
    fill_tiny(world)
    raw = json.loads((world / MANIFEST_NAME).read_text())
    raw["models"]["tiny_clip"]["folder"] = folder
    write_manifest(world, raw)
    with pytest.raises(WeightsError, match=r"manifest\.json can't be read"):
        load_manifest(world)


def test_a_model_that_is_fetched_lies_in_no_other_bundle(world: Path) -> None:
    raw = json.loads((world / MANIFEST_NAME).read_text())
    raw["models"]["clip"]["folder"] = "tiny/clip"
    write_manifest(world, raw)
    with pytest.raises(WeightsError, match="not the folder of a shipped model"):
        load_manifest(world)


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
