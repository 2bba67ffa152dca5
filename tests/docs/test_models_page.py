"""docs/models.md: its example of a new family works as it stands, and so do its commands and settings."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import transformers
from models.checkpoints import SMALL_CLIPSEG, write_tipsv2

from benchmarks.random_weights import write_clip_tokenizer
from ssa.cli.app import parser
from ssa.config import LabelSettings
from ssa.device import choose_placement
from ssa.errors import WeightsError
from ssa.loading import load_engine
from ssa.models import roles
from ssa.models.point_models import FAMILIES
from ssa.models.tables import rankers
from ssa.models.tables.captioners import CAPTIONERS
from ssa.models.tables.choosers import CHOOSERS
from ssa.models.tables.mask_models import LOADERS
from ssa.models.tables.rankers import RANKERS
from ssa.pictures.decoding import decode_image
from ssa.weights import SHIPPED_ROOT, open_bundle
from ssa.weights.compose import compose
from ssa.weights.manifest import COMPOSED_NAME, SPARED_ROLES, load_manifest
from tests.docs.pages import ROOT, snippets, text_of

PAGE = "docs/models.md"
ROLES_TABLE = text_of(PAGE).partition("## What a role may hold")[2].partition("\n## ")[0]
STREET = ROOT / "examples" / "street.png"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small CLIP in transformers' layout, as openai publishes it."""
    folder = tmp_path_factory.mktemp("clip")
    towers = {name: SMALL_CLIPSEG[f"{name}_config"] for name in ("text", "vision")}
    config = transformers.CLIPConfig(
        text_config=towers["text"], vision_config=towers["vision"], projection_dim=32
    )
    transformers.set_seed(0)
    transformers.CLIPModel(config).save_pretrained(folder)
    size = {"shortest_edge": 32}
    crop = {"height": 32, "width": 32}
    transformers.CLIPImageProcessor(size=size, crop_size=crop).save_pretrained(folder)
    write_clip_tokenizer(folder)
    return folder


@pytest.fixture
def family(monkeypatch: pytest.MonkeyPatch) -> type:
    """The page's adapter, as a module of its own, with its line in the table."""
    adapter, line = snippets(PAGE, "python")
    module = ModuleType("ssa.models.transformers_clip")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(adapter, PAGE, "exec"), module.__dict__)
    table = {**vars(rankers), **vars(module)}
    exec(compile(line, PAGE, "exec"), table)
    monkeypatch.setattr(roles, "RANKERS", table["RANKERS"])
    found: type = vars(module)["TransformersClip"]
    return found


def test_the_new_family_names_regions(family: type, clip: Path, tmp_path: Path) -> None:
    compose(tmp_path, "mine", open_bundle(tmp_path, "tiny"), {"clip": clip})
    loaded = load_engine(tmp_path, "mine", "cpu", "float32")
    assert type(loaded.stages.ranker) is family
    named = loaded.engine.annotate(decode_image(STREET)[:256, :256], loaded.settings).annotations
    assert named
    assert all(one.class_name in one.class_proposals for one in named)


def test_the_new_family_says_what_transformers_says(family: Any, clip: Path) -> None:
    crop, labels = decode_image(STREET)[:90, :60], ("car", "tree", "a red house")
    ranker = family.load(clip, choose_placement("cpu", "float32"), LabelSettings())
    (ranking,) = ranker.rank([crop], [labels])
    model = transformers.CLIPModel.from_pretrained(clip)
    processor = transformers.CLIPProcessor.from_pretrained(clip)
    inputs = processor(text=list(labels), images=[crop], return_tensors="pt", padding=True)
    shares = model(**inputs).logits_per_image.softmax(-1)[0].tolist()
    found = {one.label: one.score for one in ranking}
    assert found == pytest.approx(dict(zip(labels, shares, strict=True)))
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_without_its_line_the_family_is_refused(clip: Path) -> None:
    with pytest.raises(WeightsError, match=r"expected a ranker of one of .*; got 'clip'"):
        RANKERS.loader(clip)


def test_the_commands_are_understood() -> None:
    commands = [
        shlex.split(line)[1:]
        for block in snippets(PAGE, "")
        for line in block.splitlines()
        if line.startswith("ssa ")
    ]
    assert sum(words[:2] == ["weights", "compose"] for words in commands) == 3
    for words in commands:
        parser().parse_args(words)


def test_the_settings_of_a_dense_bundle_are_read_from_its_file(tmp_path: Path) -> None:
    folder = tmp_path / "dense"
    folder.mkdir()
    write_tipsv2(folder)
    tiny = open_bundle(tmp_path, "tiny")
    path = compose(tmp_path, "mine", tiny, {"clip": folder, "clipseg": folder}).path / COMPOSED_NAME
    (settings,) = map(json.loads, snippets(PAGE, "json"))
    described = json.loads(path.read_text())
    described["settings"] |= settings
    path.write_text(json.dumps(described))
    loaded = load_engine(tmp_path, "mine", "cpu", "float32")
    named = loaded.engine.annotate(decode_image(STREET)[:256, :256], loaded.settings).annotations
    most = settings["labels"]["bank_top_k"]
    assert named
    assert {len(one.evidence.bank) for one in named} == {most}


def test_every_family_that_has_a_name_is_in_the_table_of_roles() -> None:
    tables = CAPTIONERS.loaders, RANKERS.loaders, CHOOSERS.loaders, LOADERS, FAMILIES
    named = {name for table in tables for name in table}
    assert sorted(name for name in named if f"`{name}`" not in ROLES_TABLE) == []


def test_roles_and_bundles_that_the_page_names_are_there() -> None:
    page = text_of(PAGE)
    for role in SPARED_ROLES:
        assert f"`{role}`" in page
    for bundle in load_manifest(SHIPPED_ROOT).bundles.values():
        if not bundle.shipped:
            assert f"`{bundle.name}`" in page
            assert all(f"`{role}`" in ROLES_TABLE for role in {one.role for one in bundle.files})
    assert re.search(r"^sam +\d", page, re.MULTILINE)
