"""The JSON at the edge as it is read: nothing lost on the way there and back, what is wrong told by name."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sa1b_examples import NINE_KEYS, example, example_mask, in_tree

from ssa.errors import InputError
from ssa.formats import sa1b
from ssa.formats.sa1b_reading import from_records
from ssa.masks import run_lengths as masks
from ssa.types import (
    AnnotatedImage,
    Annotation,
    Evidence,
    MaskProposal,
    ScoredLabel,
    TreeNode,
    Vote,
)

NOTHING = Evidence()
FINITE = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(max_size=8)
SCORED = st.lists(st.builds(ScoredLabel, TEXTS, FINITE), max_size=3).map(tuple)
# A box begins in the picture, which may be of one pixel.
PLACES, SIDES = st.floats(0, 0.99), st.floats(0, allow_infinity=False)
BOXES = st.tuples(PLACES, PLACES, SIDES, SIDES)
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
    embedding=st.none() | st.lists(st.floats(-1, 1, width=16), max_size=3).map(tuple),
    models=st.dictionaries(TEXTS, TEXTS, max_size=3).map(lambda one: tuple(one.items())),
    bank=SCORED,
    agreement=SCORED,
    moved_to=st.none() | TEXTS,
)
NAMED = st.builds(
    Annotation,
    proposal=PROPOSALS,
    class_name=TEXTS,
    class_proposals=st.lists(TEXTS, max_size=3).map(tuple),
    evidence=EVIDENCE,
    confidence=st.none() | st.floats(0, 1),
    source=st.none() | st.just("phrase"),
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
    back = from_records(json.loads(content))
    assert back == image.annotations
    assert sa1b.dumps(replace(image, annotations=back), detail=True) == content  # type: ignore[arg-type]


@given(images(NAMED))
@settings(max_examples=40, deadline=None)
def test_without_detail_only_the_evidence_is_lost(image: AnnotatedImage) -> None:
    back = from_records(json.loads(sa1b.dumps(image)))
    assert back == tuple(
        replace(one, evidence=NOTHING, proposal=replace(one.proposal, granularity=None))
        for one in image.annotations
    )


@pytest.mark.parametrize("source", ["a camera", None, 3, {"name": "phrase"}])
def test_what_others_call_a_source_says_nothing_of_phrases(source: object) -> None:
    (record,) = sa1b.to_records(example())
    assert from_records([{**record, "source": source}]) == from_records([record])


def test_no_records_are_no_masks() -> None:
    assert from_records([]) == ()


def test_records_without_names_are_proposals() -> None:
    bare = Annotation(example().annotations[0].proposal, None)
    (record,) = sa1b.to_records(AnnotatedImage(4, 6, (bare,)))
    assert from_records([record]) == (bare.proposal,)


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
        ({"confidence": 1.5}, "confidence"),
        ({"confidence": "high"}, "confidence"),
        ({"detail": {"models": ["blip"]}}, "detail"),
        ({"detail": {"models": {"clip": 3}}}, "detail"),
        ({"detail": {"embedding": "not base64"}}, "detail"),
        ({"detail": {"embedding": "AA=="}}, "detail"),
        ({"detail": {"embedding": "AHw="}}, "detail"),
    ],
)
def test_a_tree_that_is_none_is_refused(changes: dict[str, Any], field: str) -> None:
    first, second = sa1b.to_records(AnnotatedImage(4, 6, (in_tree(None, 0), in_tree(0, 1))))
    with pytest.raises(InputError, match=f"record 0 to hold a sound '{field}'"):
        from_records([{**first, **changes}, second])


def test_a_file_of_sa1b_itself_is_read_as_proposals() -> None:
    (record,) = sa1b.to_records(example())
    bare = {key: record[key] for key in NINE_KEYS[:7]} | {"id": 533}
    file = {
        "image": {"image_id": 1, "width": 6, "height": 4, "file_name": "sa_1.jpg"},
        "annotations": [bare],
    }
    assert from_records(file) == (example().annotations[0].proposal,)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("segmentation", None),
        ("segmentation", {"size": [4], "counts": "0"}),
        ("segmentation", {"size": [4, 6], "counts": [24]}),
        ("segmentation", {"size": [4, 6], "counts": "é"}),
        ("segmentation", {"size": [4, 7], "counts": masks.encode(example_mask()).counts}),
        ("bbox", [1, 2, 3]),
        ("bbox", [-5, -5, -1, -1]),
        ("bbox", [0, 0, -1, 1]),
        ("bbox", [99, 0, 1, 1]),
        ("crop_box", [0, 99, 1, 1]),
        ("crop_box", [0, 0, 1, -1]),
        ("area", -1),
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
        ("detail", {"phrases": [{"label": "car"}]}),
        ("detail", {"moved_to": 3}),
    ],
)
def test_a_wrong_field_is_named_with_its_record(key: str, value: Any) -> None:
    (good,) = sa1b.to_records(example())
    with pytest.raises(InputError, match=f"record 1 to hold a sound '{key}'"):
        from_records([good, {**good, key: value}])


@pytest.mark.parametrize("key", [key for key in NINE_KEYS if key != "class_name"])
def test_a_missing_field_is_named(key: str) -> None:
    (record,) = sa1b.to_records(example())
    del record[key]
    with pytest.raises(InputError, match=f"'{key}'"):
        from_records([record])


@pytest.mark.parametrize("payload", [None, "[]", 3, {"image": {}}, {"annotations": {}}])
def test_what_is_no_list_of_records_is_refused(payload: object) -> None:
    with pytest.raises(InputError, match="expected a list of mask records"):
        from_records(payload)


def test_a_record_that_is_no_object_is_refused() -> None:
    with pytest.raises(InputError, match="record 0"):
        from_records([[1, 2]])
