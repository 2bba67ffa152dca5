"""Each bundle of the manifest from nothing to names: fetched as it stands there, from a hub of small models.

Their models are of the real classes with random weights; of a model's files those alone are served that the
manifest names.
"""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from models.checkpoints import write_open_clip, write_siglip
from models.segmentors import write_segmentor
from models.small_captioners import write_florence
from models.small_point_models import write_point_model
from safetensors.torch import load_file

from ssa.loading import load_engine
from ssa.models.blip import BlipCaptioner
from ssa.models.clip import OpenClipRanker
from ssa.models.clipseg import ClipSegChooser
from ssa.models.florence import FlorenceCaptioner
from ssa.models.oneformer import OneFormerSegmentor
from ssa.models.point_models import PointModel
from ssa.models.sam import SamMaskProposer
from ssa.models.semantic_segmentor import SemanticSegmentor
from ssa.pictures.decoding import decode_image
from ssa.weights import SHIPPED_ROOT, load_manifest, verify
from ssa.weights.download import download
from ssa.weights.lock import read_lock
from ssa.weights.manifest import MANIFEST_NAME, ROLES
from tests.weights.world import COMMIT, QUICK, archive, put_hub_file, write_manifest
from tests.weights_server import Server

PERMISSIVE = {"Apache-2.0", "BSD-3-Clause", "MIT"}
MODERN = ("modern", "modern-light")
FETCHED = [name for name, spec in load_manifest().bundles.items() if not spec.shipped]
TINY = SHIPPED_ROOT / "tiny"
STREET = SHIPPED_ROOT.parent / "examples" / "street.png"


def _sam2(folder: Path) -> None:
    write_point_model("sam2", folder)
    config = json.loads((folder / "config.json").read_text())
    # As published: their configs are those of the model for videos.
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "sam2_video"}))


def _blip(folder: Path) -> None:
    shutil.copytree(TINY / "captions", folder, dirs_exist_ok=True)
    # The miniature's has its words alone, the published one the tokenizers library's file too.
    transformers.BertTokenizer.from_pretrained(folder).save_pretrained(folder)


WRITERS: Mapping[str, Callable[[Path], None]] = {
    "blip_": _blip,
    "clip_vit_": write_open_clip,
    "sam2_1_": _sam2,
    "eomt_": lambda folder: write_segmentor(folder, "eomt"),
    "florence_2_": write_florence,
    "siglip_2_": write_siglip,
}
"""How a small model is written, by how the manifest's name of it begins."""

OF_THE_MINIATURE = {
    "sam_vit_": "sam",
    "oneformer_coco_": "coco_segmentor",
    "oneformer_classes_coco": "coco_segmentor",
    "oneformer_ade20k_": "ade20k_segmentor",
    "oneformer_classes_ade20k": "ade20k_segmentor",
    "clipseg_": "clipseg",
    "en_core_web_sm": "nouns",
}
"""For what base and light have the miniature stands in."""


def _beginning(names: Mapping[str, Any], model: str) -> Any:
    return next((value for start, value in names.items() if model.startswith(start)), None)


def _small(model: str, folder: Path) -> Path:
    if role := _beginning(OF_THE_MINIATURE, model):
        return TINY / str(role)
    folder.mkdir()
    _beginning(WRITERS, model)(folder)
    return folder


def _body(folder: Path, entry: Mapping[str, Any]) -> bytes:
    """A file as it is fetched; one that the small model has no use for is an empty table."""
    if entry.get("convert") == "unpack":
        paths = (path for path in folder.rglob("*") if path.is_file())
        prefix = entry["prefix"]
        return archive(*((f"{prefix}{one.relative_to(folder)}", one.read_bytes()) for one in paths))
    path = folder / entry["path"]
    if entry.get("convert") == "safetensors":
        stream = io.BytesIO()
        torch.save(load_file(path), stream)
        return stream.getvalue()
    return path.read_bytes() if path.is_file() else b"{}"


def _publish(hub: Server, raw: Any, model: str, folder: Path) -> None:
    """Serve a small model in the place of one of the manifest, which then expects no size and hash."""
    source = raw["models"][model]["source"]
    for entry in raw["models"][model]["files"]:
        body = _body(folder, entry)
        entry |= {"size": None, "sha256": None}
        if "url" in source:
            source["url"] = hub.put(f"/{model}", body)
            continue
        repo = f"datasets/{source['hub']}" if "repo_type" in source else source["hub"]
        revision = source["revision"]
        commit = COMMIT if revision == "main" else revision
        file = entry.get("file", entry["path"])
        put_hub_file(hub, repo, file, body, revision, commit=commit)


@pytest.fixture
def published(hub: Server, tmp_path: Path) -> Path:
    """A folder whose manifest is this repository's, with small models on the hub."""
    root = tmp_path / "weights"
    root.mkdir()
    raw = json.loads((SHIPPED_ROOT / MANIFEST_NAME).read_text())
    roles = [role for name in FETCHED for role in raw["bundles"][name]["roles"].items()]
    for model in {model for role, models in roles if role in ROLES for model in models}:
        _publish(hub, raw, model, _small(model, tmp_path / model))
    write_manifest(root, raw)
    return root


@pytest.mark.parametrize("name", MODERN)
def test_they_are_whole_and_of_permissive_licences_and_pinned_by_the_first_download(
    name: str,
) -> None:
    spec = load_manifest().bundles[name]
    assert (spec.empty_roles, spec.optional_roles) == ((), ())
    for file in spec.files:
        assert file.licence in PERMISSIVE
        # Where nobody could look, nothing is claimed: a branch's files are held to its first download.
        pinned = re.fullmatch("[0-9a-f]{40}", file.source.revision) or file.sha256
        assert pinned or (file.source.revision, file.size) == ("main", None), file.path
        assert file.about or not file.path.endswith(".safetensors")


OLD = SamMaskProposer, OneFormerSegmentor, OneFormerSegmentor, BlipCaptioner
NEW = PointModel, SemanticSegmentor, SemanticSegmentor, FlorenceCaptioner
FAMILIES: Mapping[str, tuple[type, ...]] = {
    "base": OLD,
    "light": OLD,
    "modern": NEW,
    "modern-light": (PointModel, SemanticSegmentor, OneFormerSegmentor, FlorenceCaptioner),
}
"""Of each bundle what loads its masks, its two voters and its captions."""


# The way is one for all; of those that differ least, one is in the quick suite.
SLOW = ("base",)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in FETCHED],
)
def test_a_bundle_comes_and_names_regions(published: Path, name: str) -> None:
    bundle = download(name, published, **QUICK)
    verify(bundle)
    lock = read_lock(bundle.path).values()
    commits = {one.revision for one in lock if one.source.get("revision") == "main"}
    assert commits == ({COMMIT} if name in MODERN else set())

    loaded = load_engine(published, name, "cpu", "float32")
    stages = loaded.stages
    found = stages.proposers["sam"], *stages.segmentors, stages.captioner
    assert tuple(map(type, found)) == FAMILIES[name]
    assert (type(stages.ranker), type(stages.chooser)) == (OpenClipRanker, ClipSegChooser)
    settings = loaded.settings.searching(
        "sam", points_per_side=3, pred_iou_thresh=-100.0, stability_score_thresh=0.0
    )
    settings = replace(settings, selection=replace(settings.selection, max_masks=2))
    named = loaded.engine.annotate(decode_image(STREET)[:192, :192], settings).annotations
    assert named
    assert all(one.class_name in one.class_proposals for one in named)
    assert any(one.evidence.caption for one in named)
