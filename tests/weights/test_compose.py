"""Bundles of one's own: folders linked into the roles of another bundle, verified like any other."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from models.checkpoints import write_fgclip2, write_siglip, write_tipsv2
from models.segmentors import write_segmentor
from models.small_captioners import speak_plainly, write_florence, write_qwen3_vl, write_smolvlm
from models.small_point_models import write_point_model
from models.small_sam3 import write_sam3

from ssa.cli import app
from ssa.device import choose_placement
from ssa.errors import WeightsError
from ssa.formats import sa1b
from ssa.formats.sa1b_reading import from_records
from ssa.loading import load_engine
from ssa.models.chat import ChatCaptioner
from ssa.models.florence import FlorenceCaptioner
from ssa.models.point_models import PointModel
from ssa.models.sam3_phrases import Sam3Phrases
from ssa.models.semantic_segmentor import SemanticSegmentor
from ssa.models.shared.dense import GridRanker
from ssa.models.weight import weight_bytes
from ssa.pictures.decoding import decode_image
from ssa.weights import choose_bundle, load_manifest, open_bundle, verify
from ssa.weights.compose import compose
from ssa.weights.manifest import COMPOSED_NAME

STREET = Path(__file__).resolve().parents[2] / "examples" / "street.png"


def write_mask2former(folder: Path) -> None:
    write_segmentor(folder, "mask2former")


@pytest.fixture(scope="module")
def sam2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sam2")
    write_point_model("sam2", folder)
    return folder


def composed(root: Path, sam2: Path, name: str = "mine") -> Path:
    bundle = compose(root, name, open_bundle(root, "tiny"), {"sam": sam2})
    assert bundle.path == root / name
    return bundle.path


def test_it_runs_with_the_part_that_was_given(sam2: Path, tmp_path: Path) -> None:
    composed(tmp_path, sam2)
    loaded = load_engine(tmp_path, "mine", "cpu")
    assert isinstance(loaded.stages.proposers["sam"], PointModel)
    assert loaded.bundle.purpose == "tiny with sam of one's own"
    # Settings are the base's; how likely its names are right is not known with other masks.
    assert loaded.settings == open_bundle(tmp_path, "tiny").spec.settings
    assert loaded.stages.confidence is None


def test_other_parts_at_every_stage_run_from_end_to_end(sam2: Path, tmp_path: Path) -> None:
    parts = {"sam": sam2}
    for role, write in (("clip", write_siglip), ("ade20k_segmentor", write_mask2former)):
        parts[role] = tmp_path / "parts" / role
        parts[role].mkdir(parents=True)
        write(parts[role])
    root = tmp_path / "root"
    compose(root, "mine", open_bundle(root, "tiny"), parts)
    loaded = load_engine(root, "mine", "cpu")
    assert isinstance(loaded.stages.segmentors[1], SemanticSegmentor)
    picture = decode_image(STREET)[:256, :256]
    settings = loaded.settings.searching(
        "sam", points_per_side=4, pred_iou_thresh=-100.0, stability_score_thresh=0.0
    )
    named = loaded.engine.annotate(picture, settings).annotations
    assert named
    for one in named:
        assert [vote.source for vote in one.evidence.votes] == ["coco", "ade20k"]
        assert one.class_name in one.class_proposals
        assert sum(scored.score for scored in one.evidence.ranking) == pytest.approx(1)


@pytest.mark.parametrize(
    ("write", "roles"),
    [
        (write_tipsv2, ["clip"]),
        (write_tipsv2, ["clip", "clipseg"]),
        (write_fgclip2, ["clip", "clipseg"]),
    ],
)
def test_a_dense_ranker_runs_from_end_to_end(
    write: Callable[[Path], None],
    roles: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder, root = tmp_path / "dense", tmp_path / "root"
    folder.mkdir()
    write(folder)
    typed = ["weights", "compose", "mine", "--from", "tiny", "--root", str(root)]
    without = [] if "clipseg" in roles else ["--without", "clipseg"]
    given = [word for role in roles for word in (f"--{role}", str(folder))]
    assert app.main([*typed, *given, *without]) == 0
    out = capsys.readouterr().out
    assert "mine loads; use it with --bundle mine" in out
    # The same files in two roles are on the disk once.
    told = re.findall(r"^(\S.*?)  +([\d,.]+) MB", out, re.MULTILINE)
    on_disk = {name: float(figure.replace(",", "")) for name, figure in told}
    total = on_disk.pop("in all")
    if len(roles) == 2:
        assert on_disk.pop("clipseg") == on_disk["clip"]
    assert total == pytest.approx(sum(on_disk.values()), abs=0.5)
    loaded = load_engine(root, "mine", "cpu")
    assert loaded.stages.chooser is (loaded.stages.ranker if len(roles) == 2 else None)
    settings = loaded.settings.searching("sam", points_per_side=8)
    settings = replace(settings, parts=True, labels=replace(settings.labels, bank_top_k=2))
    named = loaded.engine.annotate(decode_image(STREET), settings).annotations
    assert any(one.node and one.node.level for one in named)
    for one in named:
        assert one.class_name in one.class_proposals
        assert sum(scored.score for scored in one.evidence.ranking) == pytest.approx(1)
        assert dict(one.evidence.models)["bank"] == "dense"
        ranked = {scored.label for scored in one.evidence.ranking}
        assert {scored.label for scored in one.evidence.bank} < ranked
        shares = sum(scored.score for scored in one.evidence.shares)
        assert shares == pytest.approx(1) or len(one.class_proposals) > len(roles) == 1


@pytest.mark.parametrize(
    ("write", "captioner"),
    [
        (partial(write_florence, eagerness=1.2), FlorenceCaptioner),
        (partial(write_qwen3_vl, eagerness=3.0), ChatCaptioner),
        (partial(write_smolvlm, eagerness=-2.0), ChatCaptioner),
    ],
    ids=["florence2", "qwen3_vl", "smolvlm"],
)
def test_another_captioner_runs_from_end_to_end(
    write: Callable[[Path], None], captioner: type[object], tmp_path: Path
) -> None:
    """What it says stands in the record, and a noun that it says is ranked beside the votes."""
    folder, root = tmp_path / "captions", tmp_path / "root"
    folder.mkdir()
    write(folder)
    speak_plainly(folder)
    typed = ["weights", "compose", "mine", "--from", "tiny", "--root", str(root)]
    without = ["--without", "nouns"] if captioner is ChatCaptioner else []
    assert app.main([*typed, "--captions", str(folder), *without]) == 0
    loaded = load_engine(root, "mine", "cpu")
    assert isinstance(loaded.stages.captioner, captioner)
    named = loaded.engine.annotate(decode_image(STREET)[:256, :256], loaded.settings).annotations
    assert named
    assert any(one.evidence.caption for one in named)
    nouns = 0
    for one in named:
        ranked = {scored.label for scored in one.evidence.ranking}
        assert ranked >= set(one.evidence.noun_phrases)
        nouns += len(ranked - {vote.label for vote in one.evidence.votes})
    assert nouns


@pytest.fixture(scope="module")
def with_sam3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with the miniature and a small SAM 3 beside it, as ``mine``.

    Random weights are unsure of all that they see: by the bundle's own settings it is taken all the same.
    """
    folder, root = tmp_path_factory.mktemp("parts") / "sam3", tmp_path_factory.mktemp("root")
    folder.mkdir()
    write_sam3(folder)
    compose(root, "mine", open_bundle(root, "tiny"), {"phrases": folder})
    entry = root / "mine" / COMPOSED_NAME
    described = json.loads(entry.read_text())
    described["settings"]["phrases"] = {"least_score": 0.0, "same_iou": 0.9}
    entry.write_text(json.dumps(described))
    return root


def test_phrases_are_asked_of_the_part_that_was_given(with_sam3: Path) -> None:
    loaded = load_engine(with_sam3, "mine", "cpu")
    assert isinstance(loaded.stages.phrases, Sam3Phrases)
    picture = decode_image(STREET)[:256, :256]
    plain = loaded.engine.annotate(picture, loaded.settings).annotations
    easily = replace(loaded.settings.phrases, use="both", least_agreement=0.0, least_lead=1e-4)
    found = loaded.engine.annotate(picture, replace(loaded.settings, phrases=easily))
    own, added = found.annotations[: len(plain)], found.annotations[len(plain) :]
    assert [one.proposal for one in own] == [one.proposal for one in plain]
    assert all(one.evidence.agreement for one in own)
    assert any(one.evidence.moved_to for one in own)
    assert added
    assert {one.source for one in own} == {None}
    names = {one.class_name for one in own}
    assert all(one.source == "phrase" and one.class_name in names for one in added)
    assert {dict(one.evidence.models)["phrases"] for one in found.annotations} == {"sam3"}
    assert from_records(sa1b.to_records(found, detail=True)) == found.annotations


def test_a_vocabulary_finds_its_masks_from_the_command_line(
    with_sam3: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSA_WEIGHTS", str(with_sam3))
    monkeypatch.setenv("SSA_DEVICE", "cpu")
    described = json.loads((with_sam3 / "mine" / COMPOSED_NAME).read_text())
    assert "processor_config.json" in {one["path"] for one in described["roles"]["phrases"]}
    asked = ["-i", "mask_source=phrases", "-i", "vocabulary=car: van\ntree", "--bundle", "mine"]
    assert app.main(["predict", str(STREET), "-o", str(tmp_path), *asked]) == 0
    records = json.loads((tmp_path / "annotations.json").read_text())
    assert {one["class_name"] for one in records} == {"car", "tree"}


def test_a_dataset_is_completed_by_the_bundles_own_bounds(with_sam3: Path, tmp_path: Path) -> None:
    asked = ["--bundle", "mine", "--phrases", "complete", "--max-masks", "12", "--detail"]
    typed = ["annotate", str(STREET), "--out", str(tmp_path / "out"), *asked]
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SSA_WEIGHTS", str(with_sam3))
        assert app.main([*typed, "--device", "cpu", "--points-per-side", "6"]) == 0
    (path,) = (tmp_path / "out" / "annotations").rglob("*.json")
    records = json.loads(path.read_text())["annotations"]
    assert len(records) == 12
    sources = [one.get("source") for one in records]
    assert 0 < sources.count("phrase") < 12
    assert sources == sorted(sources, key=lambda one: one is not None)
    assert [one["id"] for one in records] == [*range(12)]
    models = [one["detail"]["models"] for one in records]
    assert [one == {"phrases": "sam3"} for one in models] == [one == "phrase" for one in sources]


def test_it_may_lack_what_others_stand_in_for(tmp_path: Path) -> None:
    base = open_bundle(tmp_path, "tiny")
    compose(tmp_path, "mine", base, {}, ["captions", "nouns", "clipseg"])
    loaded = load_engine(tmp_path, "mine", "cpu")
    assert loaded.bundle.purpose == "tiny without captions, nouns, clipseg"
    stages = loaded.stages
    assert (stages.captioner, stages.nouns, stages.chooser) == (None, None, None)
    named = loaded.engine.annotate(decode_image(STREET)[:256, :256], loaded.settings).annotations
    assert named
    for one in named:
        assert one.class_name == one.evidence.ranking[0].label
        assert (one.evidence.caption, one.evidence.noun_phrases) == ("", ())


@pytest.mark.parametrize("role", ["sam", "clip", "coco_segmentor", "nonsense"])
def test_what_nothing_stands_in_for_stays(role: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=f"without captions, nouns, clipseg.*; got {role}"):
        compose(tmp_path, "mine", open_bundle(tmp_path, "tiny"), {}, [role])
    assert not (tmp_path / "mine").exists()


def test_files_are_links_with_sizes_and_hashes(sam2: Path, tmp_path: Path) -> None:
    folder = composed(tmp_path, sam2)
    assert (folder / "sam/model.safetensors").samefile(sam2 / "model.safetensors")
    described = json.loads((folder / COMPOSED_NAME).read_text())
    (weights,) = (one for one in described["roles"]["sam"] if one["path"] == "model.safetensors")
    assert weights["size"] == (sam2 / "model.safetensors").stat().st_size
    verify(open_bundle(tmp_path, "mine"))
    path = folder / "clip/open_clip_config.json"
    path.unlink()
    path.write_text("{}")
    with pytest.raises(WeightsError, match=r"damaged.*\n.*ssa weights compose mine --from"):
        verify(open_bundle(tmp_path, "mine"))


def test_nobody_gets_it_unasked(sam2: Path, tmp_path: Path) -> None:
    composed(tmp_path, sam2)
    assert choose_bundle(tmp_path).name == "tiny"
    assert choose_bundle(tmp_path, "mine").spec.composed
    assert "mine" not in load_manifest().bundles


def test_it_can_be_put_together_anew_and_upon_another(sam2: Path, tmp_path: Path) -> None:
    composed(tmp_path, sam2)
    again = compose(tmp_path, "mine", open_bundle(tmp_path, "tiny"), {"semantic_sam": sam2})
    assert not (again.path / "sam/preprocessor_config.json").exists()
    upon = compose(tmp_path, "upon", open_bundle(tmp_path, "mine"), {"sam": sam2})
    assert upon.spec.settings == open_bundle(tmp_path, "tiny").spec.settings
    verify(upon)


def test_what_can_not_be_is_told_and_leaves_nothing(sam2: Path, tmp_path: Path) -> None:
    tiny = open_bundle(tmp_path, "tiny")
    (tmp_path / "other").mkdir()
    for name, parts, message in (
        ("tiny", {"sam": sam2}, "tiny is the name of something else"),
        ("other", {"sam": sam2}, "other is the name of something else"),
        ("../x", {"sam": sam2}, "expected a name of letters"),
        ("mine", {"eyes": sam2}, "no role is called 'eyes'"),
        ("mine", {"sam": tmp_path / "gone"}, "sam: expected a folder with weights; got gone"),
        ("mine", {"sam": tmp_path / "other"}, "sam: expected a folder with weights; got other"),
    ):
        with pytest.raises(WeightsError, match=message):
            compose(tmp_path, name, tiny, parts)
    with pytest.raises(WeightsError, match="light isn't whole"):
        compose(tmp_path, "mine", open_bundle(tmp_path, "light"), {"sam": sam2})
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


@pytest.mark.parametrize("text", ['{"purpose": "x"}', '{"roles": {}}', "[]", "{"])
def test_a_damaged_description_is_told_and_stops_no_other_bundle(
    sam2: Path, tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    (composed(tmp_path, sam2) / COMPOSED_NAME).write_text(text)
    assert choose_bundle(tmp_path).name == "tiny"
    assert "passed over mine/bundle.json, which can't be read" in caplog.text
    with pytest.raises(WeightsError, match="no bundle is called 'mine'"):
        choose_bundle(tmp_path, "mine")


def test_the_command_loads_it_once(
    sam2: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = ["weights", "compose", "mine", "--from", "tiny", "--root", str(tmp_path)]
    assert app.main([*typed, "--sam", str(sam2)]) == 0
    said = capsys.readouterr().out
    assert "mine loads; use it with --bundle mine" in said
    (line,) = (line for line in said.splitlines() if line.startswith("sam "))
    on_disk = sum(path.stat().st_size for path in sam2.iterdir())
    in_memory = weight_bytes([PointModel.load(sam2, choose_placement("cpu", "float32"), "sam2")])
    assert line.split() == [
        *("sam", f"{on_disk / 1e6:.1f}", "MB", f"{in_memory / 1e6:.1f}", "MB", "own"),
    ]
    assert app.main(["weights", "verify", "mine", "--root", str(tmp_path)]) == 0
    assert app.main(["weights", "list", "--root", str(tmp_path)]) == 0
    listed = [row.split()[:2] for row in capsys.readouterr().out.splitlines()]
    assert ["mine", "here"] in listed
    assert app.main(typed) == 2
    assert "expected a folder for at least one role" in capsys.readouterr().err
    broken = tmp_path / "broken"
    shutil.copytree(sam2, broken)
    (broken / "model.safetensors").write_bytes(b"rubbish")
    assert app.main([*typed, "--sam", str(broken)]) == 2
    assert "can't be loaded" in capsys.readouterr().err
    # The one that works is still there.
    there = {path.name for path in tmp_path.iterdir()}
    assert there - {".mine.stamps.json"} == {"broken", "mine"}
    verify(open_bundle(tmp_path, "mine"))


def test_a_setting_that_no_model_can_follow_is_told_before_the_bundle_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = ["weights", "compose", "mine", "--from", "tiny", "--root", str(tmp_path)]
    for setting, told in (
        ("labels.bank_top_k=3", "bank_top_k must be 0 without a dense ranker"),
        ("labels.bank_top_k=-1", "bank_top_k must be at least 0; got -1"),
        ("labels.chooser_side_px=50", "side_px must be a multiple of the patch"),
    ):
        assert app.main([*typed, "--set", setting]) == 2
        assert told in capsys.readouterr().err
    assert not (tmp_path / "mine").exists()


def test_a_model_of_a_hubs_cache_is_called_as_its_repository(sam2: Path, tmp_path: Path) -> None:
    cached = tmp_path / "models--somebody--sam2.1-small" / "snapshots" / ("0" * 40)
    shutil.copytree(sam2, cached)
    root = tmp_path / "root"
    bundle = compose(root, "mine", open_bundle(root, "tiny"), {"sam": cached})
    assert bundle.models()["sam"] == "somebody/sam2.1-small"
    assert bundle.models()["clip"] == "tiny_clip"


def test_bundles_of_before_models_had_names_name_none(sam2: Path, tmp_path: Path) -> None:
    path = composed(tmp_path, sam2) / COMPOSED_NAME
    described = json.loads(path.read_text())
    del described["models"]
    path.write_text(json.dumps(described))
    old = open_bundle(tmp_path, "mine")
    assert old.models() == {}
    assert compose(tmp_path, "upon", old, {"sam": sam2}).models() == {"sam": sam2.name}


def test_settings_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed = ["weights", "compose", "mine", "--from", "tiny", "--root", str(tmp_path)]
    given = ["--set", "labels.ranker_looks_once=true", "--set", "masks.sam.points_per_side=4"]
    assert app.main([*typed, *given]) == 0
    loaded, base = load_engine(tmp_path, "mine", "cpu"), open_bundle(tmp_path, "tiny").spec.settings
    assert loaded.settings.labels == replace(base.labels, ranker_looks_once=True)
    assert loaded.settings.masks["sam"] == replace(base.masks["sam"], points_per_side=4)
    assert isinstance(loaded.stages.ranker, GridRanker)
    picture = decode_image(STREET)[:256, :256]
    for one in loaded.engine.annotate(picture, loaded.settings).annotations:
        assert sum(scored.score for scored in one.evidence.ranking) == pytest.approx(1)
    for wrong, told in (
        ("labels.gone=1", "got 'gone'"),
        ("labels=3", "expected settings such as labels.dense_side_px"),
        ("top_k=3", "got top_k"),
    ):
        assert app.main([*typed, "--set", wrong]) == 2
        assert told in capsys.readouterr().err
    with pytest.raises(SystemExit):
        app.main([*typed, "--set", "labels.top_k=three"])
    assert "expected SECTION.NAME=VALUE" in capsys.readouterr().err
    assert load_engine(tmp_path, "mine", "cpu").settings == loaded.settings
