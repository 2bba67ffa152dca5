"""The command: runs, reviews and files held against each other."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dataset_doubles import FakeWorkers, Watcher, draw_pictures, items_of
from PIL import Image

from ssa.cli import app
from ssa.dataset.export import Wanted
from ssa.dataset.identity import Identity
from ssa.dataset.output import opened
from ssa.dataset.run import Task, run
from ssa.formats import sa1b_files
from ssa.review.decisions import Accepted, Corrected, RegionRef, Rejected, fingerprint
from ssa.review.log import FILE, DecisionLog

COCO_FILE = "coco/annotations/instances_default.json"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Results of two pictures with four regions each, and their COCO file."""
    out = tmp_path / "out"
    items = items_of(draw_pictures(tmp_path / "pictures", 2))
    with opened(out) as output:
        task = Task(items, Identity({"bundle": "tiny"}), Wanted(("coco",)))
        run(output, task, FakeWorkers(), Watcher())
    return out


def score(*arguments: object) -> int:
    return app.main(["score", *map(str, arguments)])


def figures(tmp_path: Path, *arguments: object, status: int = 0) -> Any:
    path = tmp_path / "score.json"
    assert score(*arguments, "--json", path) == status
    return json.loads(path.read_bytes())


def changed(out: Path, path: Path, **image: object) -> Path:
    """The COCO file with one region of another class, one fewer, and the first picture's fields."""
    file: Any = json.loads((out / COCO_FILE).read_bytes())
    file["categories"].append({"id": 50, "name": "fox"})
    file["annotations"][0]["category_id"] = 50
    del file["annotations"][-1]
    file["images"][0].update(image)
    path.write_text(json.dumps(file))
    return path


def test_against_its_own_export_all_is_right(out: Path, tmp_path: Path) -> None:
    found = figures(tmp_path, out, "--truth", out / COCO_FILE)
    assert found["figures"]["pictures"] == 2
    assert found["figures"]["names.all.level_1"] == found["figures"]["masks.recall_70"] == 1
    assert found["about"] == {
        **{"found": "out", "truth": "COCO instances"},
        **{"without_truth": 0, "not_found": 0, "left_out": 0},
    }


def test_the_page_shows_what_went_wrong(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    truth = changed(out, tmp_path / "truth.json")
    assert score(out, "--truth", truth, "--report", page) == 0
    assert "fox → " in capsys.readouterr().out
    assert '<img alt="" src="data:image/jpeg;base64,' in page.read_text()
    # A file that stands for the run has no pictures.
    assert score(out / COCO_FILE, "--truth", truth, "--report", page) == 0
    assert "<img" not in page.read_text()
    assert "isn&#x27;t at hand" in page.read_text()


def test_its_own_review_is_the_truth_where_none_is_named(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(out) == 2
    assert "review some regions" in capsys.readouterr().err
    refs = decide(out)
    found = figures(tmp_path, out)["figures"]
    assert (found["pictures"], found["regions.found"], found["regions.true"]) == (1, len(refs), 2)
    assert (found["regions.wrong"], found["names.all.level_1"]) == (1, 0.5)
    assert figures(tmp_path, out, "--truth", out)["figures"] == found


def decide(out: Path) -> list[RegionRef]:
    """Accept, correct and reject the first picture's first three regions."""
    (path, *_) = sorted((out / "annotations").rglob("*.json"))
    key = path.relative_to(out / "annotations").as_posix().removesuffix(".json")
    annotations = sa1b_files.loads(path.read_bytes())[1]
    refs = [
        RegionRef(key, number, fingerprint(one.proposal.rle))
        for number, one in enumerate(annotations[:3])
    ]
    with DecisionLog(out / FILE) as log:
        accepted = Accepted(refs[0], annotations[0].class_name)
        log.append([accepted, Corrected(refs[1], "algebra"), Rejected(refs[2])], by="me")
    return refs


def test_a_review_may_be_the_truth_of_another_run(out: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(out, other)
    decide(out)
    by_name = figures(tmp_path, other, "--truth", out)
    assert by_name["about"]["truth"] == "a review"
    assert by_name["figures"]["names.all.level_1"] == 0.5
    assert by_name["figures"]["regions.wrong"] is None
    both = figures(tmp_path, out, "--against", other)
    assert both["figures"]["names.all.level_1"] == 0.5
    assert both["against"]["figures"]["names.all.level_1"] == 0.5
    assert (both["against"]["same"], both["against"]["better"]) == (2, 0)


def test_two_runs_side_by_side(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    worse = changed(out, tmp_path / "worse.json")
    page = tmp_path / "page.html"
    arguments = (out, "--against", worse, "--truth", out / COCO_FILE, "--report", page)
    found = figures(tmp_path, *arguments)
    against = found["against"]
    assert (against["better"], against["worse"], against["same"]) == (0, 2, 6)
    change = against["changes"]["names.all.level_1"]
    assert change["difference"] == pytest.approx(-2 / 8)
    assert change["low"] <= change["difference"] <= change["high"]
    assert "further" in capsys.readouterr().out
    assert "worse.json" in page.read_text()


def test_what_has_another_size_is_left_out_and_told(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file: Any = json.loads((out / COCO_FILE).read_bytes())
    first = file["images"][0]
    first.update(height=5, width=5)
    file["annotations"] = [row for row in file["annotations"] if row["image_id"] != first["id"]]
    truth = tmp_path / "truth.json"
    truth.write_text(json.dumps(file))
    found = figures(tmp_path, out, "--truth", truth, status=1)
    assert (found["figures"]["pictures"], found["about"]["left_out"]) == (1, 1)
    assert "expected the truth in the picture's size" in capsys.readouterr().err


def test_pictures_without_a_truth_are_counted(out: Path, tmp_path: Path) -> None:
    file: Any = json.loads((out / COCO_FILE).read_bytes())
    file["images"][0]["file_name"] = "nobody's.png"
    truth = tmp_path / "truth.json"
    truth.write_text(json.dumps(file))
    about = figures(tmp_path, out, "--truth", truth)["about"]
    assert (about["without_truth"], about["not_found"], about["left_out"]) == (1, 1, 0)


def test_label_maps_with_their_names(out: Path, tmp_path: Path) -> None:
    maps, labels = tmp_path / "maps", tmp_path / "names.txt"
    maps.mkdir()
    labels.write_text("wall\nsky\n")
    for picture in sorted((tmp_path / "pictures").iterdir()):
        with Image.open(picture) as image:
            ids = np.full(image.size[::-1], 2, np.uint8)
        Image.fromarray(ids).save(maps / f"{picture.stem}.png")
    found = figures(tmp_path, out, "--truth", maps, "--labels", labels)
    assert (found["about"]["truth"], found["figures"]["pictures"]) == ("label maps", 2)
    assert [row["class"] for row in found["classes"]] == ["sky"]


@pytest.mark.parametrize("what", ["a file alone", "no run", "no truth", "no encoder"])
def test_what_is_no_run_or_no_truth_is_told(
    out: Path, tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments: dict[str, tuple[object, ...]] = {
        "a file alone": (out / COCO_FILE,),
        "no run": (tmp_path / "pictures",),
        "no truth": (out, "--truth", tmp_path / "missing.json"),
        "no encoder": (out, "--truth", out / COCO_FILE, "--sentences", tmp_path),
    }
    assert score(*arguments[what]) == 2
    said = capsys.readouterr().err
    assert said.startswith("ssa score: expected ")
    assert "Traceback" not in said


@pytest.mark.parametrize("option", ["--json", "--report"])
def test_where_nothing_can_be_written_is_found_out_before_the_work(
    out: Path, tmp_path: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        score(out, "--truth", out / COCO_FILE, option, tmp_path)
    assert "expected a file that can be written" in capsys.readouterr().err


def test_names_of_classes_without_their_maps_are_refused(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(out, "--labels", "ade20k") == 2
    assert "got it without --truth" in capsys.readouterr().err


def test_it_loads_no_framework(out: Path) -> None:
    arguments = ["score", str(out / COCO_FILE), "--truth", str(out / COCO_FILE)]
    code = (
        f"import sys; from ssa.cli import app; assert app.main({arguments!r}) == 0; "
        "print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "False"
