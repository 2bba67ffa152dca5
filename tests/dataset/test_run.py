"""Runs: nothing twice, nothing lost, whatever happened before; folders that are not ours stay as they are."""

import errno
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from dataset_doubles import (
    IDENTITY,
    UNLUCKY,
    FakeAnnotator,
    FakeWorkers,
    Watcher,
    draw_pictures,
    files_of,
    items_of,
    png,
    records_of,
)

from ssa.dataset import output as output_module
from ssa.dataset import run as run_module
from ssa.dataset.export import Wanted
from ssa.dataset.identity import Identity
from ssa.dataset.output import opened
from ssa.dataset.plan import GROUP
from ssa.dataset.run import Summary, Task, run
from ssa.errors import Fault, InputError, OutputError
from ssa.formats.categories import Categories
from ssa.sources import Item
from ssa.sources.item import Blob

COCO = "coco/annotations/instances_default.json"


def go(
    out: Path,
    found: list[Item | Fault],
    workers: FakeWorkers | None = None,
    *formats: str,
    numbers: Categories | None = None,
    labels: tuple[str, ...] = (),
    **task: object,
) -> Summary:
    with opened(out) as output:
        wanted = Wanted(formats, numbers or Categories(), labels)
        whole = Task(found, wanted=wanted, **{"identity": IDENTITY, **task})  # type: ignore[arg-type]
        return run(output, whole, workers or FakeWorkers(), Watcher())


@pytest.fixture
def items(tmp_path: Path) -> list[Item | Fault]:
    return [*items_of(draw_pictures(tmp_path / "pictures", 2 * GROUP + 3))]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_every_picture_has_its_file(items: list[Item | Fault], out: Path) -> None:
    summary = go(out, items)
    assert summary == Summary(pictures=35, done=35, new=35, masks=140, faults=0)
    names = [f"annotations/pictures/{number:03}.png.json" for number in range(35)]
    assert sorted(files_of(out)) == sorted([*names, "categories.json", "errors.jsonl"])
    assert all(len(records_of(out / name)) == 4 for name in names)
    assert (out / "errors.jsonl").read_bytes() == b""


def test_a_second_run_does_nothing_again(items: list[Item | Fault], out: Path) -> None:
    go(out, items)
    before, idle = files_of(out), FakeWorkers()
    assert go(out, items, idle) == Summary(35, 35, 0, 140, 0)
    assert idle.groups == []
    assert files_of(out) == before


def test_groups_are_the_same_whatever_was_done_before(items: list[Item | Fault], out: Path) -> None:
    """Which pictures are together decides the last bits of scores."""

    class Stopping(FakeAnnotator):
        def annotate_all(self, pictures, settings, report):  # type: ignore[no-untyped-def]
            if len(self.calls) == 1:
                raise KeyboardInterrupt
            return super().annotate_all(pictures, settings, report)

    with pytest.raises(KeyboardInterrupt):
        go(out, items, FakeWorkers(Stopping(), lanes=1))
    rest = FakeWorkers()
    go(out, items, rest)
    assert rest.groups == [1, 2]
    assert rest.engine.calls == [GROUP, 3]


def test_what_went_wrong_is_a_row_and_is_tried_again(tmp_path: Path, out: Path) -> None:
    paths = draw_pictures(tmp_path / "pictures", 4)
    good = paths[1].read_bytes()
    paths[1].write_bytes(good[:50])
    paths[2].write_bytes(png(UNLUCKY, 2))
    lost = Fault("pictures/lost.json", "pair", "no picture")
    summary = go(out, [*items_of(paths), lost])
    assert (summary.done, summary.faults) == (2, 3)
    rows = [json.loads(row) for row in (out / "errors.jsonl").read_text().splitlines()]
    assert [(row["file"], row["step"]) for row in rows] == [
        ("pictures/001.png", "decode"),
        ("pictures/002.png", "annotate"),
        ("pictures/lost.json", "pair"),
    ]
    paths[1].write_bytes(good)
    again = FakeWorkers()
    summary = go(out, [*items_of(paths)], again)
    assert (summary.done, summary.new, summary.faults) == (3, 1, 1)


def test_changed_settings_do_not_mix_unless_told(items: list[Item | Fault], out: Path) -> None:
    go(out, items[:5])
    before, other = files_of(out), Identity({"settings": "others", "more": {"x": 1}})
    with pytest.raises(
        InputError, match=r"more\.x was null, is 1; settings was \"the tests'\", is"
    ):
        go(out, items, identity=other)
    assert files_of(out) == before
    assert go(out, items, identity=other, mix=True).new == 30
    assert all(files_of(out)[name] == before[name] for name in before if "annotations" in name)
    with pytest.raises(InputError, match="--mix"):  # and now the first are the others
        go(out, items)


def test_a_file_that_was_deleted_is_done_again(items: list[Item | Fault], out: Path) -> None:
    go(out, items[:3])
    before = files_of(out)
    (out / "annotations/pictures/001.png.json").unlink()
    assert go(out, items[:3]).new == 1
    assert files_of(out) == before


def test_a_picture_that_changed_since_is_told_and_left(tmp_path: Path, out: Path) -> None:
    paths = draw_pictures(tmp_path / "pictures", 2)
    go(out, [*items_of(paths)])
    before = files_of(out)
    paths[0].write_bytes(png((20, 20), 5))
    summary = go(out, [*items_of(paths)])
    assert summary.faults == 1
    after = files_of(out)
    assert "delete them to have it done again" in after.pop("errors.jsonl").decode()
    assert after == {name: data for name, data in before.items() if name != "errors.jsonl"}


def test_more_inputs_join_what_is_there(items: list[Item | Fault], out: Path) -> None:
    go(out, items[:5])
    assert go(out, items[5:]) == Summary(30, 30, 30, 120, 0)
    assert len(files_of(out)) == 35 + 2


def test_a_folder_of_other_things_is_left_alone(items: list[Item | Fault], out: Path) -> None:
    out.mkdir()
    (out / "thesis.txt").write_text("dear")
    with pytest.raises(InputError, match="must be a new folder"):
        go(out, items)
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]
    with pytest.raises(InputError, match="got a file"):
        go(out / "thesis.txt", items)


def test_two_runs_at_once_are_one_too_many(items: list[Item | Fault], out: Path) -> None:
    with opened(out), pytest.raises(OutputError, match="another run is writing to out"):
        go(out, items)
    go(out, items[:1])


def test_a_full_disk_stops_the_run_and_loses_nothing(
    items: list[Item | Fault], out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The quota is injected where files are written; that of the ledger is in the test below."""
    whole, written = output_module.write_whole, []

    def until_full(path: Path, data: bytes) -> None:
        if len(written) >= 20:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path)
        whole(path, data)

    monkeypatch.setattr(output_module, "write_whole", until_full)
    with pytest.raises(OutputError, match="No space left on device; nothing that was done is lost"):
        go(out, items)
    monkeypatch.undo()
    rest = FakeWorkers()
    assert go(out, items, rest).done == 35
    assert rest.groups == [2]  # what was kept when the disk was full needed no engine
    go(out.with_name("undisturbed"), items)
    assert files_of(out) == files_of(out.with_name("undisturbed"))


def go_with_a_small_ledger(out: Path, items: list[Item | Fault]) -> None:
    with opened(out) as output:
        pages = output.ledger._db.execute("PRAGMA page_count").fetchone()[0]
        output.ledger._db.execute(f"PRAGMA max_page_count = {pages + 7}")
        run(output, Task(items, IDENTITY), FakeWorkers(), Watcher())


def test_a_ledger_that_can_not_grow_stops_the_run_and_loses_nothing(
    items: list[Item | Fault], out: Path
) -> None:
    with pytest.raises(OutputError, match="full"):
        go_with_a_small_ledger(out, items)
    with opened(out) as output:
        assert output.ledger.totals.pictures == 35  # it was not the listing that was too much
    assert go(out, items).done == 35
    go(out.with_name("undisturbed"), items)
    assert files_of(out) == files_of(out.with_name("undisturbed"))


def test_a_name_that_does_not_fit_is_that_pictures_fault(tmp_path: Path, out: Path) -> None:
    items = items_of(draw_pictures(tmp_path / "pictures", 3))
    items[1] = replace(items[1], key="pictures/000.png.json/inside")  # below a file
    summary = go(out, [*items])
    assert (summary.done, summary.faults) == (2, 1)
    assert json.loads((out / "errors.jsonl").read_text())["step"] == "write"


def test_models_that_fail_on_everything_stop_the_run(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "HOPELESS", 2)
    items = items_of(draw_pictures(tmp_path / "pictures", 4 * GROUP, UNLUCKY))
    with pytest.raises(OutputError, match=r"every picture of 2 groups in a row.*expected luck"):
        go(out, [*items])


def test_numbers_of_labels_stay_when_pictures_come_later(
    items: list[Item | Fault], out: Path
) -> None:
    go(out, items[20:22])
    before = Categories.load(out / "categories.json").names
    go(out, items)
    after = Categories.load(out / "categories.json").names
    assert after[: len(before)] == before
    assert len(after) > len(before)
    go(out.with_name("shard"), items[:3], numbers=Categories(after))
    assert Categories.load(out.with_name("shard") / "categories.json").names == after


def test_formats_are_made_at_the_end_and_again_only_when_something_came(
    items: list[Item | Fault], out: Path
) -> None:
    go(out, items[:5], None, "sa1b", "coco")
    first = (out / COCO).read_bytes()
    assert len(json.loads(first)["images"]) == 5
    with opened(out) as output:
        watcher = Watcher()
        run(
            output,
            Task(items[:5], IDENTITY, Wanted(("coco", "semantic-png"))),
            FakeWorkers(),
            watcher,
        )
        assert watcher.exported == ["semantic-png"]
        assert watcher.has_ended
    assert go(out, items).outdated == ("coco", "semantic-png")
    assert go(out, items, None, "coco").outdated == ("semantic-png",)
    assert len(json.loads((out / COCO).read_bytes())["images"]) == 35


def test_a_file_of_annotations_that_was_damaged_is_told(
    items: list[Item | Fault], out: Path
) -> None:
    go(out, items[:3])
    (out / "annotations/pictures/001.png.json").write_text("{")
    summary = go(out, items[:3], None, "coco")
    assert summary.faults == 1
    row = json.loads((out / "errors.jsonl").read_text())
    assert (row["file"], row["step"]) == ("annotations/pictures/001.png.json", "export")
    assert len(json.loads((out / COCO).read_bytes())["images"]) == 2


def test_an_output_folder_may_be_moved(items: list[Item | Fault], out: Path) -> None:
    go(out, items[:5])
    shutil.move(out, out.with_name("elsewhere"))
    assert go(out.with_name("elsewhere"), items).new == 30


def test_pictures_that_fail_for_ever_end_no_later_run(tmp_path: Path, out: Path) -> None:
    paths = draw_pictures(tmp_path / "pictures", 4 * GROUP)
    for number in range(4):
        paths[number * GROUP].write_bytes(png(UNLUCKY, number))
    assert go(out, [*items_of(paths)]).faults == 4
    assert go(out, [*items_of(paths)]).faults == 4
    later = items_of(draw_pictures(tmp_path / "later", 2), "later")
    assert go(out, [*items_of(paths), *later]).new == 2


def test_pictures_of_the_same_name_elsewhere_are_not_taken_for_those(
    tmp_path: Path, out: Path
) -> None:
    go(out, [*items_of(draw_pictures(tmp_path / "a" / "pictures", 3))])
    before = files_of(out)
    others = [*items_of(draw_pictures(tmp_path / "b" / "pictures", 3))]
    with pytest.raises(InputError, match=r"if the pictures were moved, say --moved"):
        go(out, others)
    assert files_of(out) == before
    assert go(out, others, moved=True).new == 0
    assert go(out, others).new == 0  # where they are now is known


def test_masks_that_came_later_make_no_second_picture(tmp_path: Path, out: Path) -> None:
    (plain,) = items_of(draw_pictures(tmp_path / "pictures", 1))
    masks = tmp_path / "000.json"
    masks.write_text('{"annotations": []}')
    given = replace(plain, key="pictures/000", masks=Blob(masks, 0, masks.stat().st_size))
    go(out, [plain])
    assert go(out, [given]).faults == 1
    assert "expected the picture without given masks" in (out / "errors.jsonl").read_text()
    (out / "annotations/pictures/000.png.json").unlink()
    assert go(out, [given]).new == 1
    assert go(out, [plain]).faults == 1


def test_masks_that_changed_are_told_and_left(tmp_path: Path, out: Path) -> None:
    (plain,) = items_of(draw_pictures(tmp_path / "pictures", 1))
    masks = tmp_path / "000.json"
    masks.write_text('{"annotations": []}')
    go(out, [replace(plain, key="pictures/000", masks=Blob(masks, 0, masks.stat().st_size))])
    masks.write_text('{"annotations": [] }')
    changed = replace(plain, key="pictures/000", masks=Blob(masks, 0, masks.stat().st_size))
    assert go(out, [changed]).faults == 1


def test_a_picture_that_is_no_longer_done_leaves_the_formats(tmp_path: Path, out: Path) -> None:
    paths = draw_pictures(tmp_path / "pictures", 3)
    go(out, [*items_of(paths)], None, "coco")
    (out / "annotations/pictures/001.png.json").unlink()
    paths[1].write_bytes(b"damaged")
    go(out, [*items_of(paths)], None, "coco")
    assert len(json.loads((out / COCO).read_bytes())["images"]) == 2


def test_formats_follow_the_numbers_of_labels(items: list[Item | Fault], out: Path) -> None:
    go(out, items, None, "coco")
    (out / "categories.json").unlink()
    go(out, items[:1], None, "semantic-png", numbers=Categories(["another"]))
    assert go(out, items[:1]).outdated == ("coco",)


def test_numbers_that_contradict_the_folders_are_refused(
    items: list[Item | Fault], out: Path
) -> None:
    go(out, items[:3], labels=("own", "unknown"))
    assert Categories.load(out / "categories.json").names[:2] == ("own", "unknown")
    with pytest.raises(InputError, match="category 1 is 'own' there and 'other' in the file"):
        go(out, items, numbers=Categories(["other"]))
    go(out, items[:3], labels=("late",))
    assert Categories.load(out / "categories.json").names[-1] == "late"


def test_settings_are_the_folders_only_when_something_was_done_with_them(
    items: list[Item | Fault], out: Path
) -> None:
    go(out, items[:3])
    other = Identity({"settings": "others"})
    assert go(out, items[:3], identity=other, mix=True).new == 0
    assert go(out, items).new == 32


def test_settings_with_which_all_failed_are_nobodys(tmp_path: Path, out: Path) -> None:
    paths = draw_pictures(tmp_path / "pictures", 2, UNLUCKY)
    assert go(out, [*items_of(paths)]).faults == 2
    assert go(out, [*items_of(paths)], identity=Identity({"settings": "others"})).faults == 2


def test_groups_are_of_one_source(tmp_path: Path, out: Path) -> None:
    first = items_of(draw_pictures(tmp_path / "a", 3), "a")
    second = items_of(draw_pictures(tmp_path / "b", 3), "b")
    workers = FakeWorkers()
    go(out, [*first, *second], workers)
    assert workers.engine.calls == [3, 3]
    alone = FakeWorkers()
    single = [replace(one, key=f"{number}.png") for number, one in enumerate([*first, *second])]
    go(out, [*single], alone)
    assert alone.engine.calls == [6]


def test_where_nobody_can_write_is_told(items: list[Item | Fault]) -> None:
    with pytest.raises(OutputError, match="the run in ssa-results had to stop: "):
        go(Path("/proc/ssa-results"), items)  # not even root makes folders there
