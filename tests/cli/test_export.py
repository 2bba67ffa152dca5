"""The command: results as people left them, and annotations as they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from dataset_doubles import FakeWorkers, Watcher, draw_pictures, files_of, items_of, records_of
from pycocotools.coco import COCO

from ssa.cli import app
from ssa.dataset.export import Wanted
from ssa.dataset.identity import Identity
from ssa.dataset.output import opened
from ssa.dataset.run import Task, run
from ssa.formats.sa1b_reading import from_records
from ssa.labelling.aliases import parse_aliases
from ssa.review.decisions import Corrected, RegionRef, Rejected, Renamed, fingerprint
from ssa.review.log import FILE, DecisionLog
from ssa.types import MaskProposal

COCO_FILE = "coco/annotations/instances_default.json"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Results of two pictures with four regions each, all "shade N"."""
    out = tmp_path / "out"
    items = items_of(draw_pictures(tmp_path / "pictures", 2))
    with opened(out) as output:
        task = Task(items, Identity({"bundle": "tiny"}), Wanted())
        run(output, task, FakeWorkers(), Watcher())
    return out


def ref(out: Path, key: str, position: int) -> RegionRef:
    row: Any = records_of(out / "annotations" / f"{key}.json")[position]
    proposal = from_records([{**row, "class_name": "x"}])[0]
    mask = proposal.rle if isinstance(proposal, MaskProposal) else proposal.proposal.rle
    return RegionRef(key, row["id"], fingerprint(mask))


def export(out: Path, *arguments: object) -> int:
    return app.main(["export", str(out), *map(str, arguments)])


def decide(out: Path) -> None:
    with DecisionLog(out / FILE) as log:
        log.append([Rejected(ref(out, "pictures/000.png", 0))])
        log.append([Corrected(ref(out, "pictures/001.png", 1), "fox")])


def rows_of(out: Path, name: str = COCO_FILE) -> list[tuple[Any, Any, str]]:
    data = COCO(str(out / name))
    return [
        (row["region_id"], row["reviewed"], data.cats[row["category_id"]]["name"])
        for row in data.anns.values()
    ]


def test_decisions_reach_every_format_and_no_file_of_annotations(out: Path) -> None:
    before = files_of(out / "annotations")
    found = {
        record["class_name"] for name in before for record in records_of(out / "annotations" / name)
    }
    decide(out)
    assert export(out, "--format", "coco,reviewed,parquet,yolo") == 0
    rows = rows_of(out)
    assert [row[:2] for row in rows] == [
        *[(number, "none") for number in (1, 2, 3)],
        *[(number, "corrected" if number == 1 else "none") for number in range(4)],
    ]
    assert rows[4][2] == "fox"
    assert {row[2] for row in rows} <= {*found, "fox"}
    reviewed = [row["reviewed"] for row in records_of(out / "reviewed/pictures/000.png.json")]
    assert reviewed == ["rejected", "none", "none", "none"]
    assert len((out / "yolo/labels/pictures/000.txt").read_text().splitlines()) == 3
    assert files_of(out / "annotations") == before
    assert not (out / "renames.txt").exists()


def test_rejected_regions_come_when_asked_for(out: Path) -> None:
    decide(out)
    assert export(out, "--format", "coco", "--rejected") == 0
    assert [row[1] for row in rows_of(out)].count("rejected") == 1
    assert len(rows_of(out)) == 8


def test_a_format_is_written_anew_when_something_was_decided(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def written() -> list[str]:
        assert export(out, "--format", "coco,panoptic") == 0
        return capsys.readouterr().err.splitlines()

    assert written() == ["writing coco", "writing panoptic"]
    assert written() == []
    with DecisionLog(out / FILE) as log:
        log.append([Rejected(ref(out, "pictures/000.png", 0))])
    assert written() == ["writing coco", "writing panoptic"]


def test_merged_labels_are_one_category_and_later_runs_can_be_told(
    out: Path, tmp_path: Path
) -> None:
    old = sorted(
        {str(row["class_name"]) for row in records_of(out / "annotations/pictures/000.png.json")}
    )
    (tmp_path / "mine.txt").write_text(f"tint: {', '.join(old)}\n")
    assert export(out, "--format", "coco", "--aliases", tmp_path / "mine.txt") == 0
    assert {row[2] for row in rows_of(out)} >= {"tint"}
    assert not {row[2] for row in rows_of(out)} & set(old)
    with DecisionLog(out / FILE) as log:
        log.append([Renamed(old[0], "hue")])
    assert export(out, "--format", "coco") == 0
    renames = out / "renames.txt"
    assert parse_aliases(renames.read_text()).names == {old[0]: "hue"}
    with DecisionLog(out / FILE) as log:
        log.undo()
    assert export(out, "--format", "coco") == 0
    assert not renames.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--format", "sa1b"), "`--format reviewed` is the same with what was decided"),
        (("--format", "pascal"), "--format must be of sa1b, coco"),
        (("--format", "coco", "--split", "0.8"), "--split belongs to --format yolo"),
        (("--format", "reviewed", "--rejected"), "--rejected belongs to --format coco or"),
        (("--format", "coco", "--aliases", "gone.txt"), "got gone.txt"),
        (("--format", "coco", "--categories", "gone.json"), "categories"),
    ],
)
def test_what_can_not_be_is_told_before_anything_is_written(
    out: Path, arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files_of(out)
    assert export(out, *arguments) == 2
    assert said in capsys.readouterr().err
    assert files_of(out) == before


def test_damaged_decisions_and_other_folders_are_told(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (out / FILE).write_text('{"v":9}\n{}\n')
    assert export(out, "--format", "coco") == 2
    assert "version 9" in capsys.readouterr().err
    assert export(tmp_path / "gone", "--format", "coco") == 2
    assert "expected a folder with results" in capsys.readouterr().err
    assert not (tmp_path / "gone").exists()


def test_a_picture_that_has_to_be_left_out_is_told(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (out / "annotations/pictures/000.png.json").write_text("{")
    assert export(out, "--format", "coco") == 1
    assert "1 errors: see" in capsys.readouterr().out
    assert "pictures/000.png" in json.loads((out / "errors.jsonl").read_text())["file"]


def test_a_file_of_somebodys_own_is_left_alone(out: Path) -> None:
    (out / "renames.txt").write_text("cat: kitty\n")
    with DecisionLog(out / FILE) as log:
        log.append([Renamed("shade 1", "hue")])
    assert export(out, "--format", "coco") == 0
    assert (out / "renames.txt").read_text() == "cat: kitty\n"


def test_decisions_about_what_is_no_longer_there_are_told_once(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with DecisionLog(out / FILE) as log:
        log.append([Rejected(RegionRef("pictures/000.png", 0, "gone"))])
    assert export(out, "--format", "coco,reviewed") == 0
    assert "1 decisions speak of regions that are no longer there" in capsys.readouterr().out
