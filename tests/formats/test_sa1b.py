"""The JSON at the edge: exact keys, plain values, and nothing lost on the way there and back."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssa.errors import InputError
from ssa.formats import sa1b
from ssa.masks import run_lengths as masks
from ssa.types import (
    RLE,
    AnnotatedImage,
    Annotation,
    Evidence,
    MaskProposal,
    ScoredLabel,
    TreeNode,
    Vote,
)

NINE_KEYS = [
    "segmentation", "bbox", "area", "predicted_iou", "stability_score", "crop_box", "point_coords",
    "class_name", "class_proposals",
]  # fmt: skip

NOTHING = Evidence()


def example() -> AnnotatedImage:
    mask = np.zeros((4, 6), dtype=bool)
    mask[1:3, 2:5] = True
    evidence = Evidence(
        votes=(Vote("coco", "car", 0.75), Vote("ade20k", "van", 1.0)),
        caption="a red car",
        noun_phrases=("red car", "car"),
        ranking=(ScoredLabel("red car", 0.625), ScoredLabel("car", 0.375)),
        shares=(ScoredLabel("car", 0.75), ScoredLabel("red car", 0.25)),
    )
    # numpy scalars: what a step may well hand on, and json refuses
    proposal = MaskProposal(
        rle=masks.encode(mask),
        bbox_xywh=(2.0, 1.0, np.float64(2), np.float32(1)),  # type: ignore[arg-type]
        area_px=np.int64(6),  # type: ignore[arg-type]
        predicted_iou=np.float32(0.5),  # type: ignore[arg-type]
        stability_score=0.96875,
        crop_box_xywh=(0.0, 0.0, 6.0, 4.5),
        points_xy=((3.0, 1.5),),
    )
    return AnnotatedImage(4, 6, (Annotation(proposal, "car", ("red car", "car"), evidence),))


def test_a_record_has_exactly_the_nine_published_keys() -> None:
    assert json.loads(sa1b.dumps(example())) == [
        {
            "segmentation": {"size": [4, 6], "counts": masks.encode(_example_mask()).counts},
            "bbox": [2, 1, 2, 1],
            "area": 6,
            "predicted_iou": 0.5,
            "stability_score": 0.96875,
            "crop_box": [0, 0, 6, 4.5],
            "point_coords": [[3.0, 1.5]],
            "class_name": "car",
            "class_proposals": ["red car", "car"],
        }
    ]
    assert [list(record) for record in sa1b.to_records(example())] == [NINE_KEYS]


def _example_mask() -> np.ndarray:
    return masks.decode(example().annotations[0].proposal.rle)


def test_whole_pixels_are_written_as_integers() -> None:
    assert b'"bbox":[2,1,2,1],"area":6,' in sa1b.dumps(example())


def test_detail_is_a_tenth_key() -> None:
    (record,) = sa1b.to_records(example(), detail=True)
    assert list(record) == [*NINE_KEYS, "detail"]
    assert record["detail"] == {
        "votes": [
            {"source": "coco", "label": "car", "share": 0.75},
            {"source": "ade20k", "label": "van", "share": 1.0},
        ],
        "caption": "a red car",
        "noun_phrases": ["red car", "car"],
        "clip": [{"label": "red car", "score": 0.625}, {"label": "car", "score": 0.375}],
        "clipseg": [{"label": "car", "share": 0.75}, {"label": "red car", "share": 0.25}],
        "margin": 0.5,
    }


def test_detail_of_a_name_has_all_its_keys_even_where_nothing_was_said() -> None:
    (annotation,) = example().annotations
    silent = replace(annotation.evidence, votes=(), caption="", noun_phrases=())
    image = replace(example(), annotations=(replace(annotation, evidence=silent),))
    (record,) = sa1b.to_records(image, detail=True)
    assert list(record["detail"]) == [
        "votes",
        "caption",
        "noun_phrases",
        "clip",
        "clipseg",
        "margin",
    ]


def in_tree(parent: int | None, level: int, part_of: str | None = None) -> Annotation:
    (annotation,) = example().annotations
    return replace(annotation, node=TreeNode(parent, level), part_of=part_of)


def test_a_place_in_the_tree_follows_the_nine_keys() -> None:
    whole, part = in_tree(None, 0), in_tree(0, 1, part_of="car")
    records = sa1b.to_records(AnnotatedImage(4, 6, (whole, part)), detail=True)
    assert list(records[0]) == [*NINE_KEYS, "id", "parent_id", "level", "detail"]
    assert list(records[1]) == [*NINE_KEYS, "id", "parent_id", "level", "part_of", "detail"]
    assert [records[0][key] for key in ("id", "parent_id", "level")] == [0, None, 0]
    assert [records[1][key] for key in ("id", "parent_id", "level", "part_of")] == [1, 0, 1, "car"]


def test_without_labels_there_are_no_keys_of_semantics() -> None:
    bare = Annotation(example().annotations[0].proposal, None)
    (record,) = sa1b.to_records(AnnotatedImage(4, 6, (bare,)))
    assert list(record) == NINE_KEYS[:7]
    assert sa1b.from_records([record]) == (bare.proposal,)


def test_detail_of_a_group_says_which_and_nothing_of_stages_that_were_not_asked() -> None:
    proposal = replace(example().annotations[0].proposal, granularity=3)
    grouped = Annotation(proposal, "cluster 2", ("cluster 2",), Evidence(cluster_id=2))
    (record,) = sa1b.to_records(AnnotatedImage(4, 6, (grouped,)), detail=True)
    assert record["detail"] == {"cluster": 2, "granularity": 3}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id": 1}, "id"),
        ({"id": None}, "id"),
        ({"parent_id": 0, "level": 1}, "parent_id"),
        ({"parent_id": 1, "level": 0}, "parent_id"),
        ({"parent_id": 7, "level": 1}, "parent_id"),
        ({"level": "top"}, "level"),
        ({"part_of": 3}, "part_of"),
    ],
)
def test_a_tree_that_is_none_is_refused(changes: dict[str, Any], field: str) -> None:
    first, second = sa1b.to_records(AnnotatedImage(4, 6, (in_tree(None, 0), in_tree(0, 1))))
    with pytest.raises(InputError, match=f"record 0 to hold a sound '{field}'"):
        sa1b.from_records([{**first, **changes}, second])


def test_no_masks_are_an_empty_list() -> None:
    assert sa1b.dumps(AnnotatedImage(3, 3, ())) == b"[]"
    assert sa1b.from_records([]) == ()


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_number_that_json_has_not_is_refused(bad: float) -> None:
    image = example()
    proposal = replace(image.annotations[0].proposal, predicted_iou=bad)
    broken = replace(image, annotations=(replace(image.annotations[0], proposal=proposal),))
    with pytest.raises(ValueError, match="finite"):
        sa1b.dumps(broken)


# --- there and back -------------------------------------------------------------------------------

FINITE = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(max_size=8)
SCORED = st.lists(st.builds(ScoredLabel, TEXTS, FINITE), max_size=3).map(tuple)
BOXES = st.tuples(FINITE, FINITE, FINITE, FINITE)
RLES = st.builds(
    lambda seed, height, width: masks.encode(
        np.random.default_rng(seed).random((height, width)) < 0.3
    ),
    st.integers(0, 2**32),
    st.integers(1, 9),
    st.integers(1, 9),
)
PROPOSALS = st.builds(
    MaskProposal,
    rle=RLES,
    bbox_xywh=BOXES,
    area_px=st.integers(0, 10**9),
    predicted_iou=FINITE,
    stability_score=FINITE,
    crop_box_xywh=BOXES,
    points_xy=st.lists(st.tuples(FINITE, FINITE), max_size=2).map(tuple),
    granularity=st.none() | st.integers(1, 6),
)
EVIDENCE = st.builds(
    Evidence,
    votes=st.lists(st.builds(Vote, TEXTS, TEXTS, FINITE), max_size=2).map(tuple),
    caption=TEXTS,
    noun_phrases=st.lists(TEXTS, max_size=2).map(tuple),
    ranking=SCORED,
    # a margin of shares between 0 and 1 can't overflow, one of any floats can
    shares=st.lists(st.builds(ScoredLabel, TEXTS, st.floats(0, 1)), max_size=3).map(tuple),
    cluster_id=st.none() | st.integers(-1, 9),
)
NAMED = st.builds(
    Annotation,
    proposal=PROPOSALS,
    class_name=TEXTS,
    class_proposals=st.lists(TEXTS, max_size=3).map(tuple),
    evidence=EVIDENCE,
)
UNNAMED = st.builds(Annotation, proposal=PROPOSALS, class_name=st.none(), evidence=EVIDENCE)


@st.composite
def images(draw: st.DrawFn, regions: st.SearchStrategy[Annotation]) -> AnnotatedImage:
    """A picture whose regions form a tree or don't."""
    found = draw(st.lists(regions, max_size=4))
    if found and draw(st.booleans()):
        found = [
            replace(one, node=draw(nodes(number)), part_of=draw(st.none() | TEXTS))
            for number, one in enumerate(found)
        ]
    return AnnotatedImage(draw(st.integers(1, 9)), draw(st.integers(1, 9)), tuple(found))


def nodes(number: int) -> st.SearchStrategy[TreeNode]:
    """Places for region ``number``: a root, or a part of a region before it."""
    roots = st.just(TreeNode(None, 0))
    parts = st.builds(TreeNode, st.integers(0, number - 1), st.integers(1, 5))
    return roots | parts if number else roots


IMAGES = images(NAMED | UNNAMED)


@given(IMAGES)
@settings(max_examples=40, deadline=None)
def test_with_detail_nothing_is_lost(image: AnnotatedImage) -> None:
    content = sa1b.dumps(image, detail=True)
    back = sa1b.from_records(json.loads(content))
    assert back == image.annotations
    assert sa1b.dumps(replace(image, annotations=back), detail=True) == content  # type: ignore[arg-type]


@given(images(NAMED))
@settings(max_examples=40, deadline=None)
def test_without_detail_only_the_evidence_is_lost(image: AnnotatedImage) -> None:
    back = sa1b.from_records(json.loads(sa1b.dumps(image)))
    assert back == tuple(
        replace(one, evidence=NOTHING, proposal=replace(one.proposal, granularity=None))
        for one in image.annotations
    )


def test_equal_values_of_another_type_give_equal_bytes() -> None:
    image = example()
    (annotation,) = image.annotations
    plain = replace(
        annotation.proposal,
        bbox_xywh=(2, 1, 2, 1),
        area_px=6,
        predicted_iou=0.5,
        points_xy=((3, 1.5),),
    )
    assert sa1b.dumps(
        replace(image, annotations=(replace(annotation, proposal=plain),))
    ) == sa1b.dumps(image)


def test_minus_zero_is_zero() -> None:
    image = example()
    proposal = replace(
        image.annotations[0].proposal, stability_score=-0.0, points_xy=((-0.0, 1.0),)
    )
    content = sa1b.dumps(
        replace(image, annotations=(replace(image.annotations[0], proposal=proposal),))
    )
    assert b"-" not in content


def test_a_file_of_sa1b_itself_is_read_as_proposals() -> None:
    (record,) = sa1b.to_records(example())
    bare = {key: record[key] for key in NINE_KEYS[:7]} | {"id": 533}
    file = {
        "image": {"image_id": 1, "width": 6, "height": 4, "file_name": "sa_1.jpg"},
        "annotations": [bare],
    }
    assert sa1b.from_records(file) == (example().annotations[0].proposal,)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("segmentation", None),
        ("segmentation", {"size": [4], "counts": "0"}),
        ("segmentation", {"size": [4, 6], "counts": [24]}),
        ("segmentation", {"size": [4, 6], "counts": "é"}),
        ("segmentation", {"size": [4, 7], "counts": masks.encode(_example_mask()).counts}),
        ("bbox", [1, 2, 3]),
        ("bbox", "1234"),
        ("area", 1.5),
        ("area", True),
        ("predicted_iou", "0.9"),
        ("predicted_iou", float("nan")),
        ("point_coords", [[1]]),
        ("class_name", 3),
        ("class_proposals", "car"),
        ("detail", []),
        ("detail", {"votes": [{"source": "coco"}]}),
    ],
)
def test_a_wrong_field_is_named_with_its_record(key: str, value: Any) -> None:
    (good,) = sa1b.to_records(example())
    with pytest.raises(InputError, match=f"record 1 to hold a sound '{key}'"):
        sa1b.from_records([good, {**good, key: value}])


@pytest.mark.parametrize("key", [key for key in NINE_KEYS if key != "class_name"])
def test_a_missing_field_is_named(key: str) -> None:
    (record,) = sa1b.to_records(example())
    del record[key]
    with pytest.raises(InputError, match=f"'{key}'"):
        sa1b.from_records([record])


@pytest.mark.parametrize("payload", [None, "[]", 3, {"image": {}}, {"annotations": {}}])
def test_what_is_no_list_of_records_is_refused(payload: object) -> None:
    with pytest.raises(InputError, match="expected a list of mask records"):
        sa1b.from_records(payload)


def test_a_record_that_is_no_object_is_refused() -> None:
    with pytest.raises(InputError, match="record 0"):
        sa1b.from_records([[1, 2]])


def test_rle_survives_as_text() -> None:
    (record,) = sa1b.to_records(example())
    rle = RLE(*record["segmentation"]["size"], record["segmentation"]["counts"])
    assert np.array_equal(masks.decode(rle), _example_mask())
