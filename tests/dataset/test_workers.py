"""A worker: what goes together, what is told of pictures that can't be had, and nothing lost between."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from dataset_doubles import UNLUCKY, FakeAnnotator, draw_pictures, items_of, png, records_of
from fakes import proposal, squares

from ssa.config import Settings
from ssa.dataset import workers
from ssa.dataset.outcomes import Annotated, Failed, Group, Outcome
from ssa.dataset.workers import Worker
from ssa.formats import sa1b_files
from ssa.progress import Report, StageReport, keep_silent
from ssa.sources import Item
from ssa.sources.item import Blob
from ssa.types import AnnotatedImage, Annotation, Picture


def outcomes(engine: FakeAnnotator, *groups: list[Item], lanes: int = 1) -> list[list[Outcome]]:
    numbered = [Group(number, tuple(items)) for number, items in enumerate(groups)]
    done = list(Worker(engine, Settings(), lanes=lanes).run(numbered))
    assert [one.number for one in done] == list(range(len(groups)))
    return [list(one.outcomes) for one in done]


def masks_file(path: Path, size_hw: tuple[int, int]) -> Blob:
    """Masks as SA-1B has them, for a picture of this size."""
    found = [Annotation(proposal(mask), None) for mask in squares(*size_hw, 8)]
    path.write_bytes(sa1b_files.dumps(AnnotatedImage(*size_hw, tuple(found)), "s/x", "x.jpg"))
    return Blob(path, 0, path.stat().st_size)


def test_a_group_goes_through_the_engine_together(tmp_path: Path) -> None:
    items, engine = items_of(draw_pictures(tmp_path, 7)), FakeAnnotator()
    (first, second) = outcomes(engine, items[:5], items[5:])
    assert engine.calls == [5, 2]
    keys = [one.key for one in (*first, *second)]
    assert keys == [item.key for item in items]
    assert all(isinstance(one, Annotated) and one.masks == 4 for one in (*first, *second))


def test_lanes_change_nothing_that_comes_out(tmp_path: Path) -> None:
    items = items_of(draw_pictures(tmp_path, 20))
    groups = [items[start : start + 3] for start in range(0, 20, 3)]
    assert outcomes(FakeAnnotator(), *groups, lanes=1) == outcomes(
        FakeAnnotator(), *groups, lanes=3
    )


def test_large_pictures_go_in_parts_of_their_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "FULL_PX", 2 * 12 * 16)
    items, engine = items_of(draw_pictures(tmp_path, 5)), FakeAnnotator()
    (found,) = outcomes(engine, items)
    assert engine.calls == [2, 2, 1]
    assert [one.key for one in found] == [item.key for item in items]


def test_what_can_not_be_read_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    paths = draw_pictures(tmp_path, 4)
    items = items_of(paths)
    paths[0].unlink()
    paths[1].write_bytes(b"no picture".ljust(items[1].picture.size))
    whole = paths[2].read_bytes()
    paths[2].write_bytes(whole[: len(whole) // 2])
    items[2] = items_of([paths[2]])[0]
    (found,) = outcomes(FakeAnnotator(), items)
    assert isinstance(found[3], Annotated)
    faults = [one.fault for one in found[:3] if isinstance(one, Failed)]
    assert [fault.file for fault in faults] == [f"pictures/00{number}.png" for number in range(3)]
    assert [fault.step for fault in faults] == ["read", "decode", "decode"]
    assert "cut short or damaged" in faults[2].message


def test_one_picture_that_the_models_fail_on_is_its_own_trouble(tmp_path: Path) -> None:
    paths = draw_pictures(tmp_path, 3)
    paths[1].write_bytes(png(UNLUCKY, 1))
    (found,) = outcomes(FakeAnnotator(), items_of(paths))
    assert [isinstance(one, Annotated) for one in found] == [True, False, True]
    assert isinstance(found[1], Failed)
    assert (found[1].fault.step, found[1].fault.message) == (
        "annotate",
        "expected luck; got none",
    )


def test_an_error_nobody_foresaw_is_told_in_one_line(tmp_path: Path) -> None:
    class Broken(FakeAnnotator):
        def _annotate(self, picture: object) -> AnnotatedImage:
            raise TypeError("of two\nlines")

    ((found,),) = outcomes(Broken(), items_of(draw_pictures(tmp_path, 1)))
    assert isinstance(found, Failed)
    assert found.fault.message == "unexpected TypeError: of two lines"


def test_given_masks_are_labelled_and_keep_all_their_fields(tmp_path: Path) -> None:
    (item,) = items_of(draw_pictures(tmp_path, 1))
    masks = masks_file(tmp_path / "m.json", (12, 16))
    document = json.loads(masks.path.read_bytes())
    document["image"]["licence"] = "kept"
    for number, record in enumerate(document["annotations"]):
        record |= {"id": 7000 + number, "extra": [number, None, "é"]}
    masks.path.write_text(json.dumps(document))
    item = replace(item, masks=replace(masks, size=masks.path.stat().st_size))
    ((found,),) = outcomes(FakeAnnotator(), [item])
    assert isinstance(found, Annotated)
    named = json.loads(found.document)
    assert named["image"] == document["image"]
    for before, after in zip(document["annotations"], named["annotations"], strict=True):
        added = {name: after.pop(name) for name in ("class_name", "class_proposals")}
        assert after == before
        assert added["class_name"].startswith("shade ")


def test_masks_of_another_picture_are_a_fault(tmp_path: Path) -> None:
    (item,) = items_of(draw_pictures(tmp_path, 1))
    item = replace(item, masks=masks_file(tmp_path / "m.json", (16, 12)))
    ((found,),) = outcomes(FakeAnnotator(), [item])
    assert isinstance(found, Failed)
    assert found.fault.step == "masks"
    assert found.fault.message.startswith(
        "expected masks of the picture's size, 16 × 12; got 12 × 16"
    )


def test_a_picture_of_another_size_than_its_file_says_is_a_fault(tmp_path: Path) -> None:
    (item,) = items_of(draw_pictures(tmp_path, 1))
    masks = masks_file(tmp_path / "m.json", (12, 16))
    data = masks.path.read_bytes().replace(b'"width":16', b'"width":99')
    masks.path.write_bytes(data)
    ((found,),) = outcomes(FakeAnnotator(), [replace(item, masks=masks)])
    assert isinstance(found, Failed)
    assert "got 99 × 12 in its 'image'" in found.fault.message


@pytest.mark.parametrize("data", [b"", b"[", b"{}", b'{"annotations": [{}]}', b"[1, 2]"])
def test_masks_that_are_none_are_a_fault(tmp_path: Path, data: bytes) -> None:
    (item,) = items_of(draw_pictures(tmp_path, 1))
    (tmp_path / "m.json").write_bytes(data)
    item = replace(item, masks=Blob(tmp_path / "m.json", 0, len(data)))
    ((found,),) = outcomes(FakeAnnotator(), [item])
    assert isinstance(found, Failed)
    assert found.fault.step == "masks"


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    ((found,),) = outcomes(FakeAnnotator(), items_of(draw_pictures(tmp_path, 1)))
    assert isinstance(found, Annotated)
    (tmp_path / "a.json").write_bytes(found.document)
    assert len(records_of(tmp_path / "a.json")) == found.masks
    image, annotations = sa1b_files.loads(found.document)
    assert (image["height"], image["width"], image["file_name"]) == (12, 16, "000.png")
    assert {one.class_name for one in annotations} == set(found.labels)


def test_a_field_that_json_has_not_is_that_pictures_fault_alone(tmp_path: Path) -> None:
    items, engine = items_of(draw_pictures(tmp_path, 2)), FakeAnnotator()
    masks = masks_file(tmp_path / "m.json", (12, 16))
    odd = masks.path.read_bytes().replace(b'"area"', b'"extra":NaN,"area"')
    masks.path.write_bytes(odd)
    items[0] = replace(items[0], masks=replace(masks, size=len(odd)))
    ((first, second),) = outcomes(engine, items)
    assert isinstance(first, Failed)
    assert first.fault.step == "encode"
    assert isinstance(second, Annotated)
    assert engine.calls == [2]


class Endless(FakeAnnotator):
    """Goes on with its second group until a report stops it."""

    def annotate_all(
        self, pictures: Sequence[Picture], settings: Settings, report: Report = keep_silent
    ) -> list[AnnotatedImage]:
        while self.calls:
            report(StageReport("sam", 1, 2, 0.0))
        return super().annotate_all(pictures, settings, report)


def test_who_stops_asking_waits_for_no_group(tmp_path: Path) -> None:
    items = items_of(draw_pictures(tmp_path, 4))
    groups = [Group(number, (item,)) for number, item in enumerate(items)]
    worker = Worker(Endless(), Settings())
    done = worker.run(groups)
    assert next(iter(done)).number == 0
    del done  # comes back only because the second group is told to stop
    assert [one.number for one in Worker(FakeAnnotator(), Settings()).run(groups)] == [0, 1, 2, 3]
