"""The command: real files in, real models, real files out, and an exit code that says how it went."""

import json
import shutil
from pathlib import Path

import pytest
from dataset_doubles import draw_pictures, files_of, png, records_of

from ssa.cli import app
from ssa.labelling.confidence import Confidence
from toyworld.sa1b_layout import Layout, write_scenes

ROOT = Path(__file__).resolve().parents[2]
BARE = ("--labels", "none", "--points-per-side", "2", "--lanes", "1", "--bundle", "tiny")


def annotate(*arguments: object) -> int:
    return app.main(["annotate", *(str(one) for one in arguments)])


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scenes")
    write_scenes(folder / "sa", 3, 11, Layout(size_px=128))
    write_scenes(folder / "tar", 3, 12, Layout(size_px=128, tar=True))
    return folder


def test_mixed_inputs_of_every_kind(
    scenes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = tmp_path / "odd"
    draw_pictures(odd, 1, (40, 50))
    for name in ("with space.png", "ünïcode 虎.png", "same.png", "same.jpg", "..hidden/up.png"):
        (odd / name).parent.mkdir(exist_ok=True)
        (odd / name).write_bytes(png((40, 50), len(name)))
    (odd / "link.png").symlink_to(odd / "000.png")
    (odd / "nowhere.png").symlink_to(odd / "gone.png")
    (odd / "broken.png").write_bytes(b"\x89PNG no more")
    (tmp_path / "list.txt").write_text("odd/000.png\n# a remark\nmissing.png\n")
    shutil.copytree(scenes / "sa", tmp_path / "sa")
    (tmp_path / "sa" / "sa_1100002.json").unlink()
    tar = tmp_path / "cut.tar"
    (whole,) = (path.read_bytes() for path in (scenes / "tar").iterdir())
    tar.write_bytes(whole[: len(whole) * 2 // 3])
    inputs = (odd, tmp_path / "list.txt", tmp_path / "sa", tar)
    out = tmp_path / "out"
    assert annotate(*inputs, "--out", out, *BARE) == 1
    written = set(files_of(out / "annotations"))
    assert written >= {
        "odd/000.png.json", "odd/with space.png.json", "odd/ünïcode 虎.png.json",
        "odd/same.png.json", "odd/same.jpg.json", "odd/link.png.json",
        "sa/sa_1100001.json", "sa/sa_1100003.json", "cut/sa_1200001.json",
    }  # fmt: skip
    rows = [json.loads(row) for row in (out / "errors.jsonl").read_text().splitlines()]
    wrong = {row["file"] for row in rows}
    assert wrong >= {"odd/nowhere.png", "odd/broken.png", "sa/sa_1100002.jpg"}
    assert any(name.startswith("cut") for name in wrong)
    assert any("missing.png" in row["file"] + row["message"] for row in rows)
    said = capsys.readouterr()
    assert f"{len(rows)} errors: see {out / 'errors.jsonl'}" in said.out
    given = json.loads((tmp_path / "sa" / "sa_1100001.json").read_bytes())["annotations"]
    assert records_of(out / "annotations" / "sa" / "sa_1100001.json") == given


def test_names_of_ones_own_classes_in_the_numbers_of_their_file(
    scenes: Path, tmp_path: Path
) -> None:
    (tmp_path / "own.txt").write_text("house: building\nsky\ngrass: lawn\n")
    out = tmp_path / "out"
    arguments = (scenes / "sa", "--out", out, "--vocabulary", tmp_path / "own.txt")
    assert annotate(*arguments, "--format", "sa1b,coco,semantic-png,parquet") == 0
    names = [row["name"] for row in json.loads((out / "categories.json").read_bytes())]
    assert names == ["house", "sky", "grass", "unknown"]
    found = {
        row["class_name"] for path in (out / "annotations/sa").iterdir() for row in records_of(path)
    }
    assert found <= set(names)
    assert {"sky", "unknown"} <= found
    assert (out / "coco" / "annotations" / "instances_default.json").is_file()
    assert (out / "parquet" / "masks" / "sa.parquet").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--format", "coco,pascal"), "--format must be of sa1b, coco"),
        (("--split", "0.8"), "--split belongs to --format yolo"),
        (("--split", "80", "--format", "yolo"), "--split must be more than 0 and less than 1"),
        (("--bundle", "huge"), "huge"),
        (("--granularity", "3"), "granularity belongs to mask_source 'semantic-sam'"),
        (("--masks", "nowhere.json"), "--masks must be given, sam, semantic-sam or a COCO file"),
        (("--aliases", "nowhere.txt"), "expected a text file in UTF-8; got nowhere.txt"),
        (("--vocabulary", "nowhere.txt"), "expected a text file in UTF-8; got nowhere.txt"),
        (("--categories", "nowhere.json"), "categories"),
        (("--segmentor", "coco"), "segmentor belongs to labels 'closed-set'"),
        (("--segmentor", "gone", "--labels", "closed-set"), "got gone, which is none"),
        (("--segmentor", str(ROOT / "weights")), "--segmentor belongs to --labels closed-set"),
        (("--device", "cuda:77"), "CUDA"),
        (("--device", "abacus"), "abacus"),
    ],
)
def test_what_can_not_be_is_told_before_any_work(
    scenes: Path,
    tmp_path: Path,
    arguments: tuple[str, ...],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert annotate(scenes / "sa", "--out", tmp_path / "out", *arguments) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_input_that_is_not_there_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert annotate(tmp_path / "gone", "--out", tmp_path / "out") == 2
    assert "expected a folder, a tar, a picture" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments",
    [("--masks", "some"), ("--top-k", "0"), ("--pred-iou-thresh", "nan"), ("--lanes", "x")],
)
def test_numbers_out_of_range_are_refused(arguments: tuple[str, str]) -> None:
    with pytest.raises(SystemExit):
        annotate("in", "--out", "out", *arguments)


def test_a_closed_set_by_name(scenes: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    closed = ("--labels", "closed-set", "--segmentor", "coco", "--detail")
    assert annotate(scenes / "sa", "--out", out, *closed) == 0
    records = [row for path in (out / "annotations/sa").iterdir() for row in records_of(path)]
    assert {vote["source"] for row in records for vote in row["detail"]["votes"]} == {"coco"}  # type: ignore[index]


def test_labels_are_called_as_aliases_say_from_the_first_run_on(
    scenes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, closed = tmp_path / "out", ("--labels", "closed-set")
    assert annotate(scenes / "sa", "--out", out, *closed) == 0
    records = [row for path in (out / "annotations/sa").iterdir() for row in records_of(path)]
    labels = {str(row["class_name"]) for row in records}
    (tmp_path / "one.txt").write_text(f"thing: {', '.join(labels)}\n")
    aliases = ("--aliases", tmp_path / "one.txt", "--format", "coco")
    assert annotate(scenes / "sa", "--out", out, *closed, *aliases) == 2
    assert "aliases was null" in capsys.readouterr().err
    assert annotate(scenes / "sa", "--out", tmp_path / "new", *closed, *aliases) == 0
    records = [
        row for path in (tmp_path / "new/annotations/sa").iterdir() for row in records_of(path)
    ]
    assert {row["class_name"] for row in records} == {"thing"}
    categories = json.loads((tmp_path / "new/categories.json").read_bytes())
    assert [row["name"] for row in categories] == ["thing"]


def test_a_fitted_confidence_takes_the_place_of_the_bundles(
    scenes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = (scenes / "sa", "--bundle", "tiny", "--lanes", "1")
    fitted = Confidence("votes, clip, clipseg", ("clip",), (0.0,), (1.0,), (0.0,), 0.0, 100)
    (tmp_path / "even.json").write_bytes(fitted.dumps())
    for name, options, expected in (
        ("own", (), False),
        ("fitted", ("--confidence", tmp_path / "even.json"), True),
    ):
        assert annotate(*few, "--out", tmp_path / name, *options) == 0
        paths = (tmp_path / name / "annotations").rglob("*.json")
        said = {row["confidence"] for path in paths for row in records_of(path)}
        assert (said == {0.5}) is expected
    (tmp_path / "bad.json").write_text("{}")
    capsys.readouterr()
    assert annotate(*few, "--out", tmp_path / "x", "--confidence", tmp_path / "bad.json") == 2
    assert "expected a file of `ssa calibrate`" in capsys.readouterr().err


def test_what_regions_look_like_is_written_where_it_is_asked_for(
    scenes: Path, tmp_path: Path
) -> None:
    few = (scenes / "sa", "--masks", "sam", "--points-per-side", "4", "--bundle", "tiny")
    assert annotate(*few, "--out", tmp_path / "out", "--labels", "closed-set", "--looks") == 0
    paths = (tmp_path / "out/annotations").rglob("*.json")
    found = [row for path in paths for row in records_of(path)]
    assert found
    assert all("embedding" in row["detail"] for row in found)  # type: ignore[operator]


def test_masks_of_a_coco_file_get_names_as_those_of_sa1b_do(scenes: Path, tmp_path: Path) -> None:
    """The regions of a first run, brought in by its COCO file, come out with the same names."""
    found, named = tmp_path / "found", tmp_path / "named"
    closed = ("--labels", "closed-set")
    assert annotate(scenes / "sa", "--out", found, *closed, "--format", "coco") == 0
    file = found / "coco/annotations/instances_default.json"
    assert annotate(scenes / "sa", "--out", named, *closed, "--masks", file) == 0
    before = sorted((found / "annotations/sa").iterdir())
    after = sorted((named / "annotations/sa").iterdir())
    assert [path.name.removesuffix(".json") + ".jpg.json" for path in before] == [
        path.name for path in after
    ]
    for one, other in zip(before, after, strict=True):
        for row, again in zip(records_of(one), records_of(other), strict=True):
            for name in ("segmentation", "area", "predicted_iou", "class_name"):
                assert row[name] == again[name]
    assert annotate(scenes / "sa", "--out", named, *closed, "--masks", file) == 0
