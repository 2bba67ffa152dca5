"""Parquet files hold all that was said of every mask; pyarrow and pandas read them."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pyarrow.dataset
import pytest
from example_pictures import (
    categories_of,
    empty_example,
    example,
    example_pictures,
    examples,
    peak_of,
    rich_annotation,
    ring,
)
from hypothesis import given, settings
from pyarrow import parquet

from ssa.formats import parquet_tables
from ssa.formats.categories import Categories
from ssa.formats.example import Example, label_of
from ssa.formats.parquet import write_parquet
from ssa.types import RLE, Annotation, Evidence, MaskProposal, ScoredLabel, TreeNode, Vote

Row = dict[str, Any]


def write(pictures: list[Example], folder: Path) -> None:
    assert write_parquet(pictures, folder, categories_of(pictures)) == []


def read_rows(folder: Path) -> list[Row]:
    """All rows under a folder, file after file; none where nothing was written."""
    if not folder.exists():
        return []
    rows: list[Row] = pyarrow.dataset.dataset(folder, format="parquet").to_table().to_pylist()
    return rows


def read_parquet(folder: Path) -> list[Example]:
    """The examples, put together again from both tables."""
    masks = read_rows(folder / "masks")
    return [
        Example(
            *(row[name] for name in ("key", "file_name", "height", "width")),
            tuple(read_annotation(one) for one in masks if one["key"] == row["key"]),
        )
        for row in read_rows(folder / "pictures")
    ]


def read_annotation(row: Row) -> Annotation:
    proposal = MaskProposal(
        rle=RLE(row["height"], row["width"], row["rle_counts"]),
        bbox_xywh=tuple(row["bbox"]),
        area_px=row["area_px"],
        predicted_iou=row["predicted_iou"],
        stability_score=row["stability_score"],
        crop_box_xywh=tuple(row["crop_box"]),
        points_xy=tuple(tuple(point) for point in row["points"]),
        granularity=row["granularity"],
    )
    evidence = Evidence(
        votes=tuple(Vote(**one) for one in row["votes"] or ()),
        caption=row["caption"] or "",
        noun_phrases=tuple(row["noun_phrases"] or ()),
        ranking=tuple(ScoredLabel(**one) for one in row["clip"] or ()),
        shares=tuple(ScoredLabel(**one) for one in row["clipseg"] or ()),
        cluster_id=row["cluster_id"],
    )
    node = None if row["level"] is None else TreeNode(row["parent"], row["level"])
    names = tuple(row["class_proposals"])
    part_of, confidence = row["part_of"], row["confidence"]
    return Annotation(proposal, row["class_name"], names, evidence, node, part_of, confidence)


def by_key(pictures: list[Example]) -> list[Example]:
    return sorted(pictures, key=lambda one: one.key)


@given(examples())
@settings(max_examples=25, deadline=None)
def test_everything_comes_back(pictures: list[Example]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write(pictures, Path(folder))
        # Readers take files by their names, which is another order than that of keys.
        assert by_key(read_parquet(Path(folder))) == pictures


def rich_example() -> Example:
    mask = ring(20, 30, 10, 10, 8)
    rich = rich_annotation(mask)
    voted = replace(rich.evidence, votes=(Vote("coco", "car", 0.75), Vote("ade20k", "van", 1.0)))
    whole = replace(rich, evidence=voted, node=TreeNode(None, 0))
    part = replace(rich, node=TreeNode(0, 1), part_of="car", confidence=0.75)
    return Example("a/b.jpg", "b.jpg", 20, 30, (whole, part))


def test_evidence_and_tree_come_back(tmp_path: Path) -> None:
    write([rich_example()], tmp_path)
    assert read_parquet(tmp_path) == [rich_example()]


def test_one_row_a_mask_with_the_category_it_has_everywhere(tmp_path: Path) -> None:
    pictures = example_pictures()
    write(pictures, tmp_path)
    categories = categories_of(pictures)
    expected = [
        (picture.key, position, categories.id_of(label_of(one)), one.class_name)
        for picture in pictures
        for position, one in enumerate(picture.annotations)
    ]
    rows = read_rows(tmp_path / "masks")
    assert [
        (row["key"], row["mask"], row["category_id"], row["class_name"]) for row in rows
    ] == expected


def test_one_file_a_source(tmp_path: Path) -> None:
    keys = ("a-b/x.jpg", "a/x.jpg", "a/y/z.jpg", "lone.jpg")
    write([example(key, [np.ones((2, 3), np.bool_)]) for key in keys], tmp_path)
    names = ["a-b.parquet", "a.parquet", "lone.jpg.parquet"]
    for table in ("masks", "pictures"):
        assert sorted(path.name for path in (tmp_path / table).iterdir()) == names
    assert parquet.read_metadata(tmp_path / "masks/a.parquet").num_rows == 2


def test_names_that_readers_pass_over_are_written_otherwise(tmp_path: Path) -> None:
    keys = ("%5Fx/1.jpg", ".x/1.jpg", "_x/1.jpg")
    write([example(key, [np.ones((2, 3), np.bool_)]) for key in sorted(keys)], tmp_path)
    assert {row["key"] for row in read_rows(tmp_path / "masks")} == set(keys)


def test_pictures_without_masks_are_in_their_table_alone(tmp_path: Path) -> None:
    write([empty_example("a/b.jpg", 7, 5), empty_example("a/c.jpg")], tmp_path)
    assert read_rows(tmp_path / "masks") == []
    assert read_rows(tmp_path / "pictures")[0] == {
        "key": "a/b.jpg",
        "file_name": "b.jpg",
        "height": 7,
        "width": 5,
        "masks": 0,
    }


def test_pandas_reads_them(tmp_path: Path) -> None:
    pictures = example_pictures()
    write(pictures, tmp_path)
    frame = pandas.read_parquet(tmp_path / "masks/photos.parquet")
    assert frame["class_name"].tolist()[:3] == ["ring", "pair", "corner"]
    assert frame["class_name"][3:].isna().all()
    boxes = [one.proposal.bbox_xywh for one in pictures[0].annotations]
    np.testing.assert_array_equal(np.stack(frame["bbox"].iloc[:3]), boxes)


def test_every_column_says_what_it_holds(tmp_path: Path) -> None:
    write([rich_example()], tmp_path)
    for table in ("masks", "pictures"):
        for column in parquet.read_schema(tmp_path / table / "a.parquet"):
            text = column.metadata[b"description"].decode()
            assert column.nullable == text.endswith("or null"), column.name


def test_row_groups_are_bounded_and_memory_with_them(tmp_path: Path) -> None:
    least = peak_of(write_parquet, 10, 500, tmp_path)
    assert peak_of(write_parquet, 40, 500, tmp_path) < least + 1_000_000
    found = parquet.read_metadata(tmp_path / "masks/many.parquet")
    most = parquet_tables.ROWS_PER_GROUP
    rows = [found.row_group(i).num_rows for i in range(found.num_row_groups)]
    assert rows == [most] * (20_000 // most) + [20_000 % most]
    assert found.row_group(0).column(0).compression == "ZSTD"


def test_equal_examples_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write([rich_example(), *example_pictures()], tmp_path / name)
    for table in ("masks", "pictures"):
        for file in ("a", "photos"):
            first, second = (
                (tmp_path / name / table / f"{file}.parquet").read_bytes()
                for name in ("one", "two")
            )
            assert first == second


def test_a_picture_with_a_mask_of_another_size_is_left_out_and_told(tmp_path: Path) -> None:
    good = example_pictures()[0]
    bad = replace(good, key="photos/bad.jpg", height=good.height - 1)
    (fault,) = write_parquet([good, bad], tmp_path, categories_of([good]))
    assert (fault.file, fault.step) == ("photos/bad.jpg", "parquet")
    assert read_parquet(tmp_path) == [good]


@pytest.mark.parametrize("keys", [("b/x", "a/x"), ("a/x", "a/x")])
def test_keys_out_of_order_are_refused_and_leave_nothing(
    tmp_path: Path, keys: tuple[str, str]
) -> None:
    pictures = [empty_example(key) for key in keys]
    with pytest.raises(ValueError, match="expected keys in order"):
        write_parquet(pictures, tmp_path, Categories())
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
