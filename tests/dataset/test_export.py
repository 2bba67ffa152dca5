"""Formats of a run: drop-in layouts, options that change, results of earlier versions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import supervision as sv
import yaml
from dataset_doubles import FakeWorkers, Watcher, draw_pictures, files_of, items_of, records_of
from pycocotools.coco import COCO

from ssa.dataset.export import Wanted
from ssa.dataset.identity import Identity
from ssa.dataset.output import opened
from ssa.dataset.run import Summary, Task, run
from ssa.errors import InputError
from ssa.formats.options import FormatOptions
from ssa.sources import Item

TINY = Identity({"bundle": "tiny"})
FILE = "coco/annotations/instances_default.json"


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    return items_of(draw_pictures(tmp_path / "pictures", 5))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def go(
    out: Path, items: list[Item], formats: str, identity: Identity = TINY, **options: object
) -> tuple[Summary, list[str]]:
    """How the run ended, and which formats it wrote."""
    wanted = Wanted(tuple(formats.split(",")), options=FormatOptions(**options))  # type: ignore[arg-type]
    watcher = Watcher()
    with opened(out) as output:
        summary = run(output, Task(items, identity, wanted, mix=True), FakeWorkers(), watcher)
    return summary, watcher.exported


def test_coco_with_its_pictures_is_a_data_set_as_it_lies(items: list[Item], out: Path) -> None:
    go(out, items, "coco", link_images=True)
    data = COCO(str(out / FILE))
    assert len(data.imgs) == len(items)
    for item, image in zip(items, data.imgs.values(), strict=True):
        picture = out / "coco" / "images" / image["file_name"]
        assert picture.read_bytes() == item.picture.read()
        records = records_of(out / "annotations" / f"{item.key}.json")
        for row, record in zip(data.imgToAnns[image["id"]], records, strict=True):
            assert row["segmentation"] == record["segmentation"]
    # It refuses pictures that a link leads to, out of their folder.
    read = sv.DetectionDataset.from_coco(str(out / "coco" / "images"), str(out / FILE))
    assert len(read) == len(items)


def test_yolo_with_its_pictures_is_a_data_set_as_it_lies(items: list[Item], out: Path) -> None:
    go(out, items, "yolo", link_images=True, split=0.5)
    data = yaml.safe_load((out / "yolo/data.yaml").read_bytes())
    pictures = [line for side in ("train", "val") for line in (out / "yolo" / data[side]).open("r")]
    assert len(pictures) == len(items)
    for line in pictures:
        picture = out / "yolo" / line.strip()
        assert picture.is_file()
        assert Path(str(picture).replace("/images/", "/labels/")).with_suffix(".txt").is_file()


def test_files_say_which_weights_spoke(items: list[Item], out: Path) -> None:
    go(out, items[:2], "coco")
    said = (
        "semantic-segment-anything; bundle tiny: drawn scenes only: it has never seen a photograph"
    )
    assert json.loads((out / FILE).read_bytes())["info"] == {"description": said}
    go(out, items, "coco", Identity({"bundle": "mine"}))
    said = said.replace("; ", "; bundle mine; ", 1)
    assert json.loads((out / FILE).read_bytes())["info"] == {"description": said}


def test_a_format_is_written_anew_when_its_options_change_and_no_other(
    items: list[Item], out: Path
) -> None:
    both = "coco,yolo"
    assert go(out, items, both)[1] == ["coco", "yolo"]
    assert go(out, items, both)[1] == []
    assert go(out, items, both, split=0.8)[1] == ["yolo"]
    assert go(out, items, both, split=0.8)[1] == []
    assert go(out, items, both, split=0.8, link_images=True)[1] == ["coco", "yolo"]
    summary, written = go(out, items, "coco")
    assert (summary.outdated, written) == ((), ["coco"])


def test_the_same_options_give_the_same_bytes(items: list[Item], out: Path) -> None:
    other = out.with_name("other")
    for folder in (out, other):
        go(folder, items, "coco,yolo,parquet,panoptic", split=0.8, link_images=True)
    assert files_of(out) == files_of(other)
    go(other, items, "yolo")
    go(other, items, "yolo", split=0.8, link_images=True)
    assert files_of(out) == files_of(other)


def test_a_change_of_options_that_was_cut_short_is_no_result(
    items: list[Item], out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go(out, items, "yolo", split=0.8)
    before = files_of(out)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("ssa.formats.yolo.data_yaml", dies)
        with pytest.raises(KeyboardInterrupt):
            go(out, items, "yolo")
    assert files_of(out) != before
    assert go(out, items, "yolo", split=0.8)[1] == ["yolo"]
    assert files_of(out) == before


def test_files_of_a_former_layout_make_way(items: list[Item], out: Path) -> None:
    go(out, items, "coco,coco-polygons")
    undisturbed = files_of(out)
    former = out / "coco" / "instances.json"
    (out / FILE).rename(former)
    (out / "coco" / "mine.txt").write_text("mine")
    with opened(out) as output:
        output.ledger._db.execute("DELETE FROM facts WHERE name LIKE 'manner %'")
    assert go(out, items, "coco-polygons")[0].outdated == ()
    assert former.is_file()
    assert go(out, items, "coco")[1] == ["coco"]
    assert (out / "coco" / "mine.txt").read_text() == "mine"
    (out / "coco" / "mine.txt").unlink()
    assert files_of(out) == undisturbed


def test_a_picture_that_is_gone_is_left_out_and_told(items: list[Item], out: Path) -> None:
    go(out, items, "coco")
    items[2].picture.path.rename(items[2].picture.path.with_suffix(".gone"))
    summary, _ = go(out, [*items[:2], *items[3:]], "coco", link_images=True)
    assert summary.faults == 1
    assert "expected its picture where it was" in (out / "errors.jsonl").read_text()
    assert len(json.loads((out / FILE).read_bytes())["images"]) == 4


def test_an_option_that_no_format_heeds_is_refused() -> None:
    with pytest.raises(InputError, match="--split belongs to --format yolo"):
        Wanted(("coco",), options=FormatOptions(split=0.8))
