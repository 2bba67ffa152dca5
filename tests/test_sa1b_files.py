"""A picture's file: what SA-1B has, what is added, and back again."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fakes import proposal, squares
from hypothesis import given
from hypothesis import strategies as st

from ssa import sa1b_files
from ssa.errors import InputError
from ssa.types import AnnotatedImage, Annotation, Evidence, TreeNode

MASKS = [proposal(mask) for mask in squares(20, 30, 10)]


def annotated(*annotations: Annotation) -> AnnotatedImage:
    return AnnotatedImage(20, 30, annotations)


def given_masks(**fields: Any) -> sa1b_files.GivenMasks:
    """Two masks with ids of their own, as SA-1B's have."""
    bare = annotated(Annotation(MASKS[0], None), Annotation(MASKS[1], None))
    document = json.loads(sa1b_files.dumps(bare, "s/a", "a.jpg"))
    for number, record in enumerate(document["annotations"]):
        record |= {"id": 500 + number, **fields}
    return sa1b_files.parse_masks(json.dumps(document).encode())


def test_a_new_file_says_whose_it_is() -> None:
    data = sa1b_files.dumps(annotated(Annotation(MASKS[0], "dog", ("dog",))), "s/a", "ä.jpg")
    assert data.isascii()
    assert data.endswith(b"}\n")
    document = json.loads(data)
    assert list(document) == ["image", "annotations"]
    number = document["image"].pop("image_id")
    assert document["image"] == {"width": 30, "height": 20, "file_name": "ä.jpg"}
    assert 0 <= number < 2**48
    other = json.loads(sa1b_files.dumps(annotated(), "s/b", "ä.jpg"))
    assert other["image"]["image_id"] != number


def test_what_is_written_reads_back() -> None:
    tree = (
        Annotation(MASKS[0], "car", ("car",), Evidence(), TreeNode(None, 0)),
        Annotation(MASKS[1], "wheel", ("wheel",), Evidence(), TreeNode(0, 1), "car"),
    )
    image, found = sa1b_files.loads(sa1b_files.dumps(annotated(*tree), "s/a", "a.jpg"))
    assert found == tree
    assert image["height"] == 20
    bare = Annotation(MASKS[2], None)
    assert sa1b_files.loads(sa1b_files.dumps(annotated(bare), "s/a", "a.jpg"))[1] == (bare,)


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


def test_names_of_before_are_replaced_and_taken_away() -> None:
    masks = given_masks(class_name="cat", class_proposals=["cat"], detail={"caption": "a cat"})
    assert [type(one).__name__ for one in masks.proposals] == ["MaskProposal"] * 2
    named = annotated(*(Annotation(one, "dog", ("dog",)) for one in masks.proposals))
    (record, _) = json.loads(sa1b_files.dumps(named, "s/a", "a.jpg", masks))["annotations"]
    assert (record["class_name"], "detail" in record) == ("dog", False)
    bare = annotated(*(Annotation(one, None) for one in masks.proposals))
    (record, _) = json.loads(sa1b_files.dumps(bare, "s/a", "a.jpg", masks))["annotations"]
    assert "class_name" not in record


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OWN = {
    *json.loads(sa1b_files.dumps(annotated(Annotation(MASKS[0], None)), "k", "f"))["annotations"][0]
}


@given(st.dictionaries(st.text().map("x".__add__), JSON, max_size=4))
def test_fields_that_came_with_a_mask_stay_as_they_were(fields: dict[str, Any]) -> None:
    masks = given_masks(**fields)
    named = annotated(*(Annotation(one, "dog", ("dog",)) for one in masks.proposals))
    for record in json.loads(sa1b_files.dumps(named, "s/a", "a.jpg", masks))["annotations"]:
        assert {name: record[name] for name in fields} == json.loads(json.dumps(fields))
        assert set(record) == OWN | {"id", "class_name", "class_proposals"} | set(fields)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"{}", b'{"annotations": 3}', b"\xff\xfe", b"[" * 5000, b"null"]
)
def test_what_is_no_such_file_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="expected a JSON"):
        sa1b_files.parse_masks(data)


def test_a_damaged_record_is_named() -> None:
    bare = Annotation(MASKS[0], None)
    document = json.loads(sa1b_files.dumps(annotated(bare, bare), "s/a", "a.jpg"))
    document["annotations"][1]["area"] = "large"
    with pytest.raises(InputError, match="record 1 to hold a sound 'area'"):
        sa1b_files.loads(json.dumps(document).encode())


def test_scores_are_plain_numbers() -> None:
    odd = replace(MASKS[0], predicted_iou=np.float32(0.5))  # type: ignore[arg-type]
    assert b'"predicted_iou":0.5' in sa1b_files.dumps(annotated(Annotation(odd, None)), "k", "f")
