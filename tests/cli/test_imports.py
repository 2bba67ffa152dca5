"""The command: a file from elsewhere becomes one entry of decisions, and exports have it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from dataset_doubles import FakeWorkers, Watcher, draw_pictures, files_of, items_of, records_of

from ssa.cli import app
from ssa.dataset.export import Wanted
from ssa.dataset.identity import Identity
from ssa.dataset.output import opened
from ssa.dataset.run import Task, run
from ssa.review.log import FILE, read_history

COCO_FILE = "coco/annotations/instances_default.json"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Results of two pictures with four regions each, and their COCO file."""
    out = tmp_path / "out"
    items = items_of(draw_pictures(tmp_path / "pictures", 2))
    with opened(out) as output:
        task = Task(items, Identity({"bundle": "tiny"}), Wanted(("coco",)))
        run(output, task, FakeWorkers(), Watcher())
    return out


def bring_in(out: Path, *arguments: object) -> int:
    return app.main(["import", str(out), *map(str, arguments)])


def corrected(out: Path, tmp_path: Path) -> Path:
    """The COCO file with one region of another class, and one fewer."""
    file: Any = json.loads((out / COCO_FILE).read_bytes())
    file["categories"].append({"id": 50, "name": "fox"})
    file["annotations"][0]["category_id"] = 50
    del file["annotations"][-1]
    path = tmp_path / "corrected.json"
    path.write_text(json.dumps(file))
    return path


def test_unchanged_it_decides_nothing(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bring_in(out, out / COCO_FILE) == 0
    said = capsys.readouterr().out
    assert said.startswith("2 pictures: 8 regions as they were; 0 accepted, 0 given another label")
    assert read_history(out / FILE).entries == ()


def test_corrections_are_one_entry_that_exports_heed(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files_of(out / "annotations")
    file = corrected(out, tmp_path)
    assert bring_in(out, file, "--dry-run") == 0
    assert "would be 0 accepted, 1 given another label" in capsys.readouterr().out
    assert read_history(out / FILE).entries == ()
    assert bring_in(out, file) == 0
    expected = "0 accepted, 1 given another label, 0 another mask, 0 added, 1 rejected; 2 decisions"
    assert expected in capsys.readouterr().out
    (entry,) = read_history(out / FILE).entries
    assert (entry.by, len(entry.decisions)) == ("import corrected.json", 2)
    assert app.main(["export", str(out), "--format", "reviewed"]) == 0
    rows: list[Any] = records_of(out / "reviewed/pictures/000.png.json")
    assert (rows[0]["class_name"], rows[0]["reviewed"]) == ("fox", "corrected")
    assert files_of(out / "annotations") == before
    capsys.readouterr()
    assert bring_in(out, file) == 0
    assert "7 regions as they were; 0 accepted, 0 given another label" in capsys.readouterr().out


def test_what_somebody_has_looked_at_is_accepted_once(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = corrected(out, tmp_path)
    assert bring_in(out, file, "--accept") == 0
    assert "6 regions as they were; 6 accepted, 1 given another label" in capsys.readouterr().out
    assert app.main(["export", str(out), "--format", "reviewed"]) == 0
    rows: list[Any] = records_of(out / "reviewed/pictures/001.png.json")
    assert [row["reviewed"] for row in rows] == [*["accepted"] * 3, "rejected"]
    capsys.readouterr()
    assert bring_in(out, file, "--accept") == 0
    assert " 0 decisions" in capsys.readouterr().out


def test_with_the_aliases_of_the_export_nothing_is_decided(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = {
        str(row["class_name"]) for row in records_of(out / "annotations/pictures/000.png.json")
    }
    (tmp_path / "mine.txt").write_text(f"tint: {', '.join(labels)}\n")
    aliases = ("--aliases", str(tmp_path / "mine.txt"))
    assert app.main(["export", str(out), "--format", "coco", *aliases]) == 0
    assert bring_in(out, out / COCO_FILE, *aliases) == 0
    assert " 0 decisions" in capsys.readouterr().out
    assert bring_in(out, out / COCO_FILE, "--dry-run") == 0
    assert " 0 decisions" not in capsys.readouterr().out


def test_a_picture_that_is_not_ours_is_told(
    out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = corrected(out, tmp_path)
    file.write_text(file.read_text().replace("pictures/001.png", "holiday.png"))
    assert bring_in(out, file) == 1
    said = capsys.readouterr()
    assert "1 pictures: 3 regions" in said.out
    assert "holiday.png: expected a name that is one picture's" in said.err


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"{", "got no JSON"), (b"{}", "got other JSON"), (None, "No such file")],
)
def test_what_is_no_file_of_corrections_is_told_in_one_line(
    out: Path, tmp_path: Path, content: bytes | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = files_of(out)
    if content is not None:
        (tmp_path / "file.json").write_bytes(content)
    assert bring_in(out, tmp_path / "file.json") == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) == 1
    assert bring_in(tmp_path / "gone", tmp_path / "file.json") == 2
    assert "expected a folder with results" in capsys.readouterr().err
    assert files_of(out) == before
