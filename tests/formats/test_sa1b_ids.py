"""Ids of records: those that came with masks stay where they can, and every record has one."""

import json
from dataclasses import replace
from typing import Any

import pytest
from fakes import proposal, squares
from hypothesis import example, given
from hypothesis import strategies as st
from sa1b_examples import annotated, given_masks

from ssa.formats import sa1b_files
from ssa.formats.sa1b_ids import numbered
from ssa.types import Annotation, Evidence, TreeNode

MASKS = [proposal(mask) for mask in squares(20, 30, 10)]

Record = dict[str, Any]


def test_given_records_keep_their_ids_in_a_tree_and_read_back() -> None:
    masks = given_masks(note="mine")
    tree = (
        Annotation(masks.proposals[0], "wheel", ("wheel",), Evidence(), TreeNode(1, 1), "car"),
        Annotation(masks.proposals[1], "car", ("car",), Evidence(), TreeNode(None, 0)),
    )
    data = sa1b_files.dumps(annotated(*tree), "s/a", "a.jpg", masks)
    first, second = json.loads(data)["annotations"]
    assert (first["id"], first["parent_id"], first["note"]) == (500, 501, "mine")
    assert (second["id"], second["parent_id"], second["level"]) == (501, None, 0)
    assert sa1b_files.loads(data)[1] == tree


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        *((ids, [*ids]) for ids in (("a", "b"), (7, 7), (7, "7"), (7, True), (1.0, 2.0), ([], {}))),
        ((7, None), [7, 0]),
        ((None, 0), [1, 0]),
        ((None, 0.0), [1, 0.0]),
        ((None, None), [0, 1]),
    ],
)
def test_ids_that_name_no_record_make_way_in_a_tree_alone(
    ids: tuple[object, object], expected: list[object]
) -> None:
    masks = with_ids(*ids)
    tree = tree_of(masks)
    data = sa1b_files.dumps(annotated(*tree), "s/a", "a.jpg", masks)
    assert [(one["id"], one["parent_id"]) for one in records_in(data)] == [(0, 1), (1, None)]
    assert sa1b_files.loads(data)[1] == tree
    flat = annotated(*(replace(one, node=None, part_of=None) for one in tree))
    data = sa1b_files.dumps(flat, "s/a", "a.jpg", masks)
    assert [one["id"] for one in records_in(data)] == expected
    assert len(sa1b_files.loads(data)[1]) == 2


def test_every_record_has_an_id_of_its_own() -> None:
    bare = annotated(*(Annotation(one, None) for one in MASKS))
    data = sa1b_files.dumps(bare, "s/a", "a.jpg")
    assert [one["id"] for one in records_in(data)] == list(range(len(MASKS)))
    assert sa1b_files.loads(data)[1] == bare.annotations
    document = json.loads(data)
    again = sa1b_files.dumps(bare, "s/a", "a.jpg", sa1b_files.parse_masks(data))
    assert json.loads(again) == document


@given(st.lists(st.integers(), min_size=2, max_size=2, unique=True))
@example([2**53, 2**53 + 1])
def test_any_different_whole_numbers_stay_in_a_tree(ids: list[int]) -> None:
    masks = with_ids(*ids)
    data = sa1b_files.dumps(annotated(*tree_of(masks)), "s/a", "a.jpg", masks)
    assert [one["id"] for one in records_in(data)] == ids
    assert sa1b_files.loads(data)[1] == tree_of(masks)


def with_ids(*ids: object) -> sa1b_files.GivenMasks:
    """Two masks with these ids, None for none."""
    document = json.loads(json.dumps(given_masks().document))
    for record, one in zip(document["annotations"], ids, strict=True):
        record.pop("id")
        record |= {} if one is None else {"id": one}
    return sa1b_files.parse_masks(json.dumps(document).encode())


def tree_of(masks: sa1b_files.GivenMasks) -> tuple[Annotation, Annotation]:
    """The first mask a part of the second."""
    return (
        Annotation(masks.proposals[0], "wheel", ("wheel",), Evidence(), TreeNode(1, 1), "car"),
        Annotation(masks.proposals[1], "car", ("car",), Evidence(), TreeNode(None, 0)),
    )


def records_in(data: bytes) -> list[Record]:
    found: list[Record] = json.loads(data)["annotations"]
    return found


@given(st.lists(st.none() | st.integers(0, 5) | st.sampled_from([1.0, True, "1", "a"])))
def test_new_ids_are_whole_numbers_that_nobody_has(ids: list[object]) -> None:
    records = [{"x": 1} if one is None else {"id": one, "x": 1} for one in ids]
    found = [record["id"] for record in numbered(records)]
    new = [one for one, before in zip(found, ids, strict=True) if before is None]
    assert [one for one, before in zip(found, ids, strict=True) if before is not None] == [
        one for one in ids if one is not None
    ]
    assert all(type(one) is int for one in new)
    assert len(set(new)) == len(new)
    assert not set(new) & set(ids)
