"""Export to each format and import: unchanged it decides nothing, and what was changed is decided."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from example_pictures import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from review.made_up import history_of

from ssa.errors import InputError
from ssa.formats.categories import Categories
from ssa.formats.coco import FILE, write_coco, write_coco_polygons
from ssa.formats.example import Example, Mark
from ssa.formats.foreign import ForeignFile
from ssa.formats.label_studio import write_label_studio
from ssa.labelling.aliases import NO_ALIASES, parse_aliases
from ssa.masks.run_lengths import decode, encode, encode_runs
from ssa.review.amending import Amended
from ssa.review.decisions import (
    Added,
    Corrected,
    Decision,
    Piece,
    RegionRef,
    Rejected,
    Renamed,
    Unsure,
    fingerprint,
)
from ssa.review.importing import Import, read_corrections

Lost = Callable[[Any], Any]


def label_studio(pictures: list[Example], categories: Categories, folder: Path) -> bytes:
    assert write_label_studio(pictures, folder, categories) == []
    tasks = json.loads((folder / "tasks.json").read_bytes())
    return json.dumps([{**one, "annotations": one["predictions"]} for one in tasks]).encode()


def coco(pictures: list[Example], categories: Categories, folder: Path) -> bytes:
    assert write_coco(pictures, folder, categories) == []
    return (folder / FILE).read_bytes()


def coco_polygons(pictures: list[Example], categories: Categories, folder: Path) -> bytes:
    assert write_coco_polygons(pictures, folder, categories) == []
    return (folder / FILE).read_bytes()


def as_cvat_has_it(pictures: list[Example], categories: Categories, folder: Path) -> bytes:
    """Its own fields and numbers, uncompressed runs, and nothing of ours."""
    file = json.loads(coco(pictures, categories, folder))
    for row in file["annotations"]:
        mask = np.ravel(decode_row(row), order="F")
        changes = np.flatnonzero(np.diff(mask, prepend=0))
        row["segmentation"]["counts"] = np.diff([0, *changes, mask.size]).tolist()
        row["attributes"] = {"occluded": False, "rotation": 0.0}
        for name in (
            "region_id",
            "reviewed",
            "predicted_iou",
            "stability_score",
            "class_proposals",
        ):
            row.pop(name, None)
    file["annotations"].reverse()
    return json.dumps(file).encode()


def decode_row(row: Any) -> np.ndarray:
    from pycocotools import mask as pycoco

    return pycoco.decode(row["segmentation"])


WRITERS = pytest.mark.parametrize("write", [label_studio, coco, coco_polygons, as_cvat_has_it])


def decided(
    pictures: list[Example], data: bytes, amended: Amended
) -> tuple[list[Decision], Import]:
    names = {one.picture_name: one.key for one in pictures}
    found = Import(read_corrections(data), names, "file.json")
    return found.decisions(pictures, amended), found


def ref(picture: Example, position: int) -> RegionRef:
    mask = picture.annotations[position].proposal.rle
    return RegionRef(picture.key, picture.marked[position][1].region, fingerprint(mask))


@st.composite
def reviewed(draw: st.DrawFn) -> tuple[list[Example], Amended]:
    """Pictures with ids of their own, of which some regions were decided on."""
    pictures = [
        replace(one, marks=tuple(Mark(10 * i + 3) for i in range(len(one.annotations))))
        for one in draw(examples())
    ]
    entries: list[Decision] = [Renamed("dog", "hound")] if draw(st.booleans()) else []
    for picture in pictures:
        for position in range(len(picture.annotations)):
            region, mask = ref(picture, position), picture.annotations[position].proposal.rle
            other = encode(~decode(mask))
            options: list[Decision | None] = [
                *(None, Rejected(region), Unsure(region), Corrected(region, "fox")),
                *(Corrected(region, mask=other), Added(picture.key, Piece(other, None))),
            ]
            chosen = draw(st.sampled_from(options))
            entries += [] if chosen is None else [chosen]
    aliases = parse_aliases("vulpes: fox, emoji 🦊\n") if draw(st.booleans()) else NO_ALIASES
    return pictures, Amended(history_of(*entries), aliases, "some")


@WRITERS
@given(drawn=reviewed(), keeps_rejected=st.booleans())
@settings(max_examples=40)
def test_export_and_import_unchanged_decide_nothing(
    write: Callable[..., bytes], drawn: tuple[list[Example], Amended], keeps_rejected: bool
) -> None:
    pictures, amended = drawn
    out = [amended.amended(one) for one in pictures]
    if not keeps_rejected:
        out = [one.without_rejected() for one in out]
    labels = amended.labels(
        "region" if a.class_name is None else a.class_name
        for one in pictures
        for a in one.annotations
    )
    with tempfile.TemporaryDirectory() as folder:
        data = write(out, Categories().extended(labels), Path(folder))
    decisions, found = decided(pictures, data, amended)
    assert decisions == []
    assert found.report.faults == []
    listed = [one for one in out if one.annotations or write is not label_studio]
    assert found.report.unchanged == sum(len(one.annotations) for one in listed)


MASKS = [np.zeros((6, 9), np.bool_) for _ in range(4)]
for number, mask in enumerate(MASKS):
    mask[:, 2 * number : 2 * number + 2] = True


def one_picture() -> list[Example]:
    from example_pictures import example

    return [example("photos/a.jpg", MASKS[:3], ["cat", "dog", "cat"])]


def edited(change: Callable[[dict[str, Any]], None]) -> tuple[list[Decision], Import]:
    """A COCO file of one picture with some change, brought in."""
    pictures = one_picture()
    with tempfile.TemporaryDirectory() as folder:
        file = json.loads(coco(pictures, Categories(["cat", "dog"]), Path(folder)))
    change(file)
    return decided(pictures, json.dumps(file).encode(), Amended(history_of()))


def row_of(mask: np.ndarray) -> dict[str, Any]:
    rle = encode(mask)
    segmentation = {"size": [rle.height, rle.width], "counts": rle.counts}
    return {"id": 90, "image_id": 1, "category_id": 2, "segmentation": segmentation}


def test_what_was_changed_is_decided_and_counted() -> None:
    redrawn = MASKS[1].copy()
    redrawn[0, 3] = False

    def change(file: dict[str, Any]) -> None:
        first, second, _ = file["annotations"]
        first["category_id"] = 2
        second["segmentation"] = row_of(redrawn)["segmentation"]
        file["annotations"][2] = row_of(MASKS[3])

    decisions, found = edited(change)
    (picture,) = one_picture()
    assert decisions == [
        Corrected(ref(picture, 0), "dog"),
        Corrected(ref(picture, 1), mask=encode(redrawn)),
        Added("photos/a.jpg", Piece(encode(MASKS[3]), "dog")),
        Rejected(ref(picture, 2), "not in file.json"),
    ]
    report = found.report
    assert (report.pictures, report.unchanged, report.labels, report.masks) == (1, 0, 1, 1)
    assert (report.added, report.rejected, report.faults) == (1, 1, [])


@WRITERS
def test_odd_names_and_odd_spellings_of_a_mask_are_no_change(
    write: Callable[..., bytes], tmp_path: Path
) -> None:
    """XML can't hold some characters; given masks may have runs of no pixels."""
    (picture,) = one_picture()
    odd = encode_runs(np.array([3, 3, 0, 6, 42]), 6, 9)
    assert odd != encode(decode(odd))
    first, *rest = picture.annotations
    named = replace(first, class_name="a\0b\ud800", proposal=replace(first.proposal, rle=odd))
    pictures = [replace(picture, annotations=(named, *rest))]
    data = write(pictures, Categories(["a\0b\ud800", "cat", "dog"]), tmp_path)
    assert decided(pictures, data, Amended(history_of()))[0] == []


def test_a_picture_that_is_not_listed_is_left_as_it_is() -> None:
    def change(file: dict[str, Any]) -> None:
        file["images"], file["annotations"] = [], []

    assert edited(change)[0] == []


def test_one_that_is_listed_and_has_nothing_any_more_is_emptied() -> None:
    def change(file: dict[str, Any]) -> None:
        file["annotations"] = []

    assert [type(one) for one in edited(change)[0]] == [Rejected] * 3


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda file: file["images"][0].update(file_name="b.jpg"), "one of none, or of several"),
        (lambda file: file["images"].append({**file["images"][0], "id": 2}), "each picture once"),
        (lambda file: file.update(images=[{**file["images"][0], "height": 7}], annotations=[]), "got 7 × 9"),
        (lambda file: file["annotations"][0].update(category_id=9), "a category that the file lists"),
    ],
)  # fmt: skip
def test_a_picture_that_can_not_be_ours_is_left_out_and_told(change: Lost, why: str) -> None:
    decisions, found = edited(change)
    assert decisions == []
    (fault,) = found.report.faults
    assert why in fault.message


def test_corrections_of_other_kinds_are_refused() -> None:
    for data, why in (
        (b"PK\3\4", "got no JSON"),
        (b'{"a": 1}', "got other JSON"),
        (b"[3]", "other JSON"),
    ):
        with pytest.raises(InputError, match=why):
            read_corrections(data)
    assert read_corrections(b"[]") == ForeignFile(())
