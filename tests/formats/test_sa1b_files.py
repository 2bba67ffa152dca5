"""A picture's file: what SA-1B has, what is added, and back again."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fakes import proposal, squares
from hypothesis import given
from hypothesis import strategies as st
from sa1b_examples import annotated, given_masks

from ssa.errors import InputError
from ssa.formats import sa1b, sa1b_files
from ssa.types import Annotation, Evidence, TreeNode

MASKS = [proposal(mask) for mask in squares(20, 30, 10)]


Record = dict[str, Any]


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


def test_what_a_run_added_comes_after_the_given_masks_with_a_number_of_its_own() -> None:
    document = json.loads(json.dumps(given_masks(theirs=True, source="a camera").document))
    for number, record in zip((2, 0), document["annotations"], strict=True):
        record["id"] = number
    given = sa1b_files.parse_masks(json.dumps(document).encode())
    root = TreeNode(None, 0)
    for node in (None, root):
        named = [Annotation(one, "dog", ("dog",), node=node) for one in MASKS[:2]]
        added = Annotation(MASKS[2], "dog", ("dog",), node=node, source="phrase")
        data = sa1b_files.dumps(annotated(*named, added), "s/a", "a.jpg", given)
        records = json.loads(data)["annotations"]
        assert [one["id"] for one in records] == [2, 0, 1]
        assert [one["source"] for one in records] == ["a camera", "a camera", "phrase"]
        assert [one.get("theirs") for one in records] == [True, True, None]
        assert sa1b_files.loads(data)[1] == (*named, added)


def test_a_bare_list_of_records_becomes_a_whole_file() -> None:
    bare = annotated(Annotation(MASKS[0], "cat", ("cat",)), Annotation(MASKS[1], None))
    masks = sa1b_files.parse_masks(sa1b.dumps(bare))
    assert masks.proposals == tuple(MASKS[:2])
    assert masks.stated_size_hw is None
    named = annotated(*(Annotation(one, "dog", ("dog",)) for one in masks.proposals))
    data = sa1b_files.dumps(named, "s/a", "a.jpg", masks)
    assert data == sa1b_files.dumps(named, "s/a", "a.jpg")
    assert list(json.loads(data)) == ["image", "annotations"]
    none = sa1b_files.parse_masks(b"[]")
    assert none.proposals == ()
    assert sa1b_files.loads(sa1b_files.dumps(annotated(), "k", "f", none))[0]["width"] == 30


@pytest.mark.parametrize(
    "image",
    [
        None,
        "a.jpg",
        {},
        {"file_name": "mine.jpg", "licence": 3},
        {"image_id": 0, "width": 30.0, "height": None},
        {"width": "30", "height": "20", "file_name": None},
        {"width": 30, "height": 20, "file_name": "", "image_id": "x"},
    ],
)
def test_every_file_says_what_formats_need_of_the_picture(image: object) -> None:
    document = {"info": 1, **given_masks().document, "image": image}
    masks = sa1b_files.parse_masks(json.dumps(document).encode())
    named = annotated(*(Annotation(one, "dog", ("dog",)) for one in masks.proposals))
    data = sa1b_files.dumps(named, "s/a", "a.jpg", masks)
    found, _ = sa1b_files.loads(data)
    new, _ = sa1b_files.loads(sa1b_files.dumps(annotated(), "s/a", "a.jpg"))
    stays = {name: value for name, value in _fields(image).items() if value is not None}
    assert found == {**new, **stays, "width": 30, "height": 20}
    assert {type(found["width"]), type(found["height"])} == {int}
    assert json.loads(data)["info"] == 1


def _fields(image: object) -> Record:
    return image if isinstance(image, dict) else {}


def test_a_file_without_image_gets_one_at_its_beginning() -> None:
    document = {"annotations": given_masks().document["annotations"], "info": 1}
    masks = sa1b_files.parse_masks(json.dumps(document).encode())
    bare = annotated(*(Annotation(one, None) for one in masks.proposals))
    data = sa1b_files.dumps(bare, "s/a", "a.jpg", masks)
    assert list(json.loads(data)) == ["image", "annotations", "info"]


@pytest.mark.parametrize(
    ("image", "size_hw"),
    [
        ({"height": 20, "width": 30}, (20, 30)),
        ({"height": 20.0, "width": 31}, (20, 31)),
        ({"height": 20}, None),
        ({"height": "20", "width": 30}, None),
        ({"height": True, "width": 30}, None),
        ({"height": 20.5, "width": 30}, None),
        ([20, 30], None),
    ],
)
def test_the_size_that_a_file_states(image: object, size_hw: tuple[int, int] | None) -> None:
    document = {**given_masks().document, "image": image}
    assert sa1b_files.parse_masks(json.dumps(document).encode()).stated_size_hw == size_hw


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
    "data", [b"", b"{", b"7", b"{}", b'{"annotations": 3}', b"\xff\xfe", b"[" * 5000, b"null"]
)
def test_what_is_no_such_file_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match=r"expected a JSON .* have masks found with --masks sam"):
        sa1b_files.parse_masks(data)
    with pytest.raises(InputError, match=r"expected a JSON .* delete it and run the same command"):
        sa1b_files.loads(data)


def test_a_damaged_record_is_named() -> None:
    bare = Annotation(MASKS[0], None)
    document = json.loads(sa1b_files.dumps(annotated(bare, bare), "s/a", "a.jpg"))
    for wrong in ("large", 1.5, True, None):
        document["annotations"][1]["area"] = wrong
        with pytest.raises(InputError, match="record 1 to hold a sound 'area'"):
            sa1b_files.loads(json.dumps(document).encode())


def test_a_number_beyond_all_bounds_is_named() -> None:
    bare = Annotation(MASKS[0], None)
    document = json.loads(sa1b_files.dumps(annotated(bare), "s/a", "a.jpg"))
    document["annotations"][0]["stability_score"] = 10**400
    with pytest.raises(InputError, match="record 0 to hold a sound 'stability_score'"):
        sa1b_files.parse_masks(json.dumps(document).encode())


def test_scores_are_plain_numbers() -> None:
    odd = replace(MASKS[0], predicted_iou=np.float32(0.5))  # type: ignore[arg-type]
    assert b'"predicted_iou":0.5' in sa1b_files.dumps(annotated(Annotation(odd, None)), "k", "f")
