from __future__ import annotations

from typing import Any

import pytest
from example_pictures import example_pictures

from ssa.errors import InputError
from ssa.formats.example import Example, Mark
from ssa.masks.proposal import proposal_of
from ssa.masks.run_lengths import decode
from ssa.review.amending import Amended
from ssa.review.decisions import (
    BY_ACCEPT,
    Accepted,
    Added,
    Corrected,
    Piece,
    RegionRef,
    Rejected,
    Renamed,
    Split,
    Unsure,
    fingerprint,
)
from ssa.review.history import Entry, History
from ssa.score.regions import Region, TruePicture
from ssa.score.runs import FoundPicture, FoundPictures, Pairs, Reviewed, found_in_coco
from ssa.score.truth import Truth
from ssa.types import Annotation
from tests.score.drawn import PLACES, SIZE, box, region

LABELS = ("cat", "dog", "car", "tree", "sky")
EXAMPLE = Example(
    "photos/a",
    "a.jpg",
    *SIZE,
    tuple(
        Annotation(proposal_of(decode(box(*place))), label)
        for place, label in zip(PLACES, LABELS, strict=True)
    ),
    marks=tuple(map(Mark, range(5))),
)
REFS = [
    RegionRef(EXAMPLE.key, number, fingerprint(one.proposal.rle))
    for number, one in enumerate(EXAMPLE.annotations)
]


def reviewed(*decisions: Any, by: str = "me") -> Reviewed:
    history = History()
    for number, one in enumerate(decisions, start=1):
        history.take(Entry(number, "", by, (one,)))
    return Reviewed([EXAMPLE], Amended(history, digest="x"))


def told(regions: tuple[Region, ...]) -> list[tuple[object, str | None]]:
    return [(one.id, one.label) for one in regions]


def test_what_people_looked_at_is_true_or_not_and_nothing_else_counts() -> None:
    found = reviewed(
        Accepted(REFS[0], "cat"),
        Corrected(REFS[1], "wolf", box(0, 5, 9, 4)),
        Rejected(REFS[2]),
        Unsure(REFS[3]),
        Added(EXAMPLE.key, Piece(box(1, 1, 2, 2), "owl")),
    )
    (pair,) = found
    assert pair.is_judged
    assert pair.key == "photos/a.jpg"
    # As found: the accepted, the corrected under its first name and mask, and the rejected.
    assert told(pair.found) == [(0, "cat"), (1, "dog"), (2, "car")]
    assert pair.found[1].mask == box(*PLACES[1])
    assert told(pair.true) == [(0, "cat"), (1, "wolf"), ("5.1", "owl")] or told(pair.true)[:2] == [
        (0, "cat"),
        (1, "wolf"),
    ]
    assert pair.true[1].mask == box(0, 5, 9, 4)
    assert len(pair.true) == 3


def test_a_region_that_was_split_is_nothing_true_and_its_pieces_are() -> None:
    pieces = Piece(box(0, 0, 5, 4), "cat"), Piece(box(5, 0, 5, 4), "dog")
    (pair,) = reviewed(Split(REFS[0], pieces))
    assert told(pair.found) == [(0, "cat")]
    assert [one.label for one in pair.true] == ["cat", "dog"]


def test_what_was_accepted_unseen_does_not_count() -> None:
    found = reviewed(Accepted(REFS[0], "cat"), by=BY_ACCEPT)
    assert [*found] == []
    assert found.without_truth == 1


def test_a_renamed_label_is_no_error() -> None:
    (pair,) = reviewed(Accepted(REFS[0], "cat"), Renamed("cat", "kitty"))
    assert told(pair.found) == told(pair.true) == [(0, "kitty")]


def test_a_review_can_be_the_truth_of_another_run() -> None:
    truth = reviewed(Accepted(REFS[0], "cat")).truth()
    other = FoundPicture("x", *SIZE, (region(PLACES[0], "wolf", id=0),))
    (pair,) = Pairs([other], {"b/photos/a.jpg": "x"}, truth)
    assert (told(pair.found), told(pair.true)) == ([(0, "wolf")], [(None, "cat")])
    assert not pair.is_judged


def test_pairs_are_those_of_one_name_and_one_size() -> None:
    true = TruePicture(SIZE, (region(PLACES[0]),))
    truths = {
        "a.png": lambda: true,
        "b.png": lambda: TruePicture((5, 5), ()),
        "c.png": lambda: TruePicture(None, (Region(box(0, 0, 1, 1, (5, 5)), "dog"),)),
        "d.png": _unreadable,
        "e.png": lambda: true,
        "f.png": lambda: TruePicture(None, ()),
    }
    found = [FoundPicture(key, *SIZE, ()) for key in "abcdfg"]
    pairs = Pairs(found, {f"{one.key}.png": one.key for one in found}, Truth("made up", truths))
    assert [one.key for one in pairs] == ["a.png", "f.png"]
    assert pairs.not_found == ["e.png"]
    assert pairs.without_truth == 1
    assert [(fault.file, fault.step) for fault in pairs.faults] == [
        ("b.png", "score"),
        ("c.png", "score"),
        ("d.png", "score"),
    ]
    assert "20 × 30; got 5 × 5" in pairs.faults[0].message


def _unreadable() -> TruePicture:
    raise InputError("expected a PNG")


def test_pairs_may_be_kept_to_some() -> None:
    truth = Truth("made up", {name: lambda: TruePicture(SIZE, ()) for name in ("a.png", "b.png")})
    found = [FoundPicture(key, *SIZE, ()) for key in "ab"]
    pairs = Pairs(found, {"a.png": "a", "b.png": "b"}, truth)
    assert pairs.names == {"a.png", "b.png"}
    pairs.only = {"b.png"}
    assert [one.key for one in pairs] == ["b.png"]
    assert pairs.without_truth == 0


def test_a_runs_pictures_come_as_often_as_they_are_asked_for() -> None:
    examples = example_pictures()
    pictures = FoundPictures(examples)
    assert [one.key for one in pictures] == [one.key for one in pictures]
    assert [len(one.regions) for one in pictures] == [len(one.annotations) for one in examples]


COCO: dict[str, Any] = {
    "images": [{"id": 7, "file_name": "a.jpg", "height": 20, "width": 30}],
    "categories": [{"id": 3, "name": "cat"}],
    "annotations": [
        {
            "id": number,
            "image_id": 7,
            "category_id": 3,
            "segmentation": {"size": [*SIZE], "counts": box(*PLACES[number]).counts},
            "score": 0.5,
            **more,
        }
        for number, more in enumerate([{"confidence": 0.75}, {}, {"iscrowd": 1}])
    ],
}


def test_a_coco_file_stands_for_a_run() -> None:
    (picture,), faults = found_in_coco(COCO)
    assert (picture.key, picture.height, picture.width, faults) == ("a.jpg", 20, 30, [])
    assert [(one.id, one.label, one.score, one.confidence) for one in picture.regions] == [
        (0, "cat", 0.5, 0.75),
        (1, "cat", 0.5, None),
    ]


def test_a_name_of_several_pictures_is_none() -> None:
    images = [{**COCO["images"][0], "id": number} for number in (7, 8)]
    other = {**COCO["images"][0], "id": 9, "file_name": "b.jpg"}
    pictures, (fault,) = found_in_coco({**COCO, "images": [*images, other]})
    assert [one.key for one in pictures] == ["b.jpg"]
    assert (fault.file, "each picture once" in fault.message) == ("a.jpg", True)


@pytest.mark.parametrize("wrong", ["high", True, [1]])
def test_a_confidence_that_is_none_is_told(wrong: object) -> None:
    row = {**COCO["annotations"][0], "confidence": wrong}
    with pytest.raises(InputError, match="confidence"):
        found_in_coco({**COCO, "annotations": [row]})
