"""Pictures on their way into formats, as people left them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from example_pictures import annotation
from review.made_up import PICTURE, REFS, history_of, square

from ssa.dataset.amendments import AS_FOUND
from ssa.formats.example import Example, Mark
from ssa.labelling.aliases import parse_aliases
from ssa.masks.run_lengths import area, decode
from ssa.review.amending import Amended
from ssa.review.decisions import (
    BY_ACCEPT,
    Accepted,
    Added,
    Corrected,
    Decision,
    Piece,
    Rejected,
    Renamed,
    Split,
    Unsure,
)
from ssa.review.history import Entry, History
from ssa.review.log import FILE, DecisionLog
from ssa.types import TreeNode

LABELS = ("cat", "dog", "cat", None)
FOUND = tuple(annotation(decode(square(i)), label) for i, label in enumerate(LABELS))
EXAMPLE = Example(PICTURE, "dog.jpg", 4, 6, FOUND, marks=tuple(map(Mark, range(4))))
ALIASES = parse_aliases("felis: cat\n")


def amended(*decisions: Decision, example: Example = EXAMPLE) -> Example:
    return Amended(history_of(*decisions), digest="some").amended(example)


def names(example: Example) -> list[str | None]:
    return [one.class_name for one in example.annotations]


def test_each_region_says_what_was_decided() -> None:
    found = amended(
        Accepted(REFS[0], "cat"), Corrected(REFS[1], "fox"), Rejected(REFS[2]), Unsure(REFS[3])
    )
    assert names(found) == ["cat", "fox", "cat", None]
    assert [(one.region, one.reviewed) for one in found.marks] == [
        (0, "accepted"), (1, "corrected"), (2, "rejected"), (3, "unsure"),
    ]  # fmt: skip
    assert names(found.without_rejected()) == ["cat", "fox", None]


def test_a_corrected_mask_comes_with_its_box_and_area() -> None:
    both = np.zeros((4, 6), np.bool_)
    both[1:3, 2:5] = True
    mask = annotation(both).proposal.rle
    proposal = amended(Corrected(REFS[0], mask=mask)).annotations[0].proposal
    assert (proposal.rle, proposal.area_px, proposal.bbox_xywh) == (mask, 6, (2, 1, 2, 1))
    assert proposal.predicted_iou == proposal.stability_score == 1
    assert proposal.points_xy == FOUND[0].proposal.points_xy


def test_what_a_person_made_is_there_and_parts_of_what_is_gone_have_a_place() -> None:
    nodes = (TreeNode(None, 0), TreeNode(0, 1), TreeNode(1, 2), TreeNode(None, 0))
    tree = tuple(replace(one, node=node) for one, node in zip(FOUND, nodes, strict=True))
    piece = Piece(square(9), "paw")
    found = amended(
        Added(PICTURE, piece), Split(REFS[1], (piece,)), example=replace(EXAMPLE, annotations=tree)
    )
    assert names(found) == ["cat", "cat", None, "paw", "paw"]
    assert [one.region for one in found.marks] == [0, 2, 3, "1.0", "2.0"]
    assert [one.node for one in found.annotations] == [
        TreeNode(None, 0), TreeNode(0, 1), *[TreeNode(None, 0)] * 3,
    ]  # fmt: skip
    assert area(found.annotations[3].proposal.rle) == found.annotations[3].proposal.area_px == 1


def test_renames_hold_for_every_name_of_a_region() -> None:
    part = replace(FOUND[1], class_proposals=("dog", "cat", "felis"), part_of="cat")
    example = replace(EXAMPLE, annotations=(FOUND[0], part, *FOUND[2:]))
    found = amended(Renamed("cat", "felis"), example=example)
    assert names(found) == ["felis", "dog", "felis", None]
    assert found.annotations[1].class_proposals == ("dog", "felis")
    assert found.annotations[1].part_of == "felis"
    assert {one.reviewed for one in found.marks} == {"none"}


def test_aliases_hold_for_what_was_found_and_what_was_decided() -> None:
    review = Amended(history_of(Corrected(REFS[1], "cat")), ALIASES, "some")
    assert names(review.amended(EXAMPLE)) == ["felis", "felis", "felis", None]
    assert list(review.labels(["cat", "dog"])) == ["felis", "dog", "felis"]


def test_labels_are_all_that_may_come_out() -> None:
    piece = Piece(square(9), None)
    history = history_of(Corrected(REFS[0], "fox"), Renamed("dog", "hound"), Added("b", piece), 1)
    assert list(Amended(history).labels(["cat", "dog"])) == ["cat", "hound", "hound", "region"]
    assert Amended(history).aliases.names == {"dog": "hound"}


def test_stale_decisions_are_counted_and_change_nothing() -> None:
    gone = replace(REFS[0], mask="gone")
    review = Amended(history_of(Rejected(gone)), digest="some")
    assert names(review.amended(EXAMPLE)) == list(LABELS)
    assert review.stale == 1


def test_a_folder_without_decisions_leaves_pictures_as_they_are(tmp_path: Path) -> None:
    review = Amended.of(tmp_path)
    assert review.digest == AS_FOUND.digest == ""
    assert review.amended(EXAMPLE) is EXAMPLE is AS_FOUND.amended(EXAMPLE)
    assert list(review.labels(["a"])) == list(AS_FOUND.labels(["a"])) == ["a"]
    assert Amended.of(tmp_path, ALIASES).digest
    with DecisionLog(tmp_path / FILE) as log:
        log.append([Rejected(REFS[0])])
        first = Amended.of(tmp_path).digest
        log.undo()
    assert len({first, Amended.of(tmp_path).digest, ""}) == 3


def test_a_name_that_a_person_gave_has_no_confidence_of_a_models() -> None:
    sure = replace(EXAMPLE, annotations=tuple(replace(one, confidence=0.5) for one in FOUND))
    found = amended(Accepted(REFS[0], "cat"), Corrected(REFS[1], "fox"), example=sure)
    assert [one.confidence for one in found.annotations] == [0.5, None, 0.5, 0.5]


def test_marks_say_whether_a_person_said_it() -> None:
    history = History()
    history.take(Entry(1, "", BY_ACCEPT, (Accepted(REFS[0], "cat"),)))
    history.take(Entry(2, "", "page", (Accepted(REFS[1], "dog"), Rejected(REFS[2]))))
    marks = Amended(history, digest="some").amended(EXAMPLE).marks
    assert [one.is_said for one in marks] == [False, True, True, True]
