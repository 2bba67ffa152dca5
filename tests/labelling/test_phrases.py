"""Names as phrases: what is asked, which name stands, and which instances were missed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes import instance, proposal
from hypothesis import given
from hypothesis import strategies as st

from ssa.config import PhraseSettings
from ssa.labelling.phrases import asked, distinct, missing, verified
from ssa.labelling.vocabulary import parse_vocabulary
from ssa.masks.overlaps import ious
from ssa.types import Annotation, BoolMask, Evidence, MaskProposal, ScoredLabel, TreeNode

VERIFY, COMPLETE = PhraseSettings("verify"), PhraseSettings("complete")


def columns(first: int, last: int) -> BoolMask:
    """A stripe of a picture of 10 x 20, from one column to before another."""
    mask = np.zeros((10, 20), np.bool_)
    mask[:, first:last] = True
    return mask


LEFT, RIGHT = columns(0, 10), columns(10, 20)


def region(mask: BoolMask, name: str, *others: str, **rest: object) -> Annotation:
    shares = tuple(ScoredLabel(label, 0.5) for label in (name, *others))
    made = Annotation(proposal(mask), name, (name, *others), Evidence(shares=shares))
    return replace(made, **rest)  # type: ignore[arg-type]


def found(**instances: list[tuple[BoolMask, float]]) -> dict[str, list[MaskProposal]]:
    return {label: [instance(*one) for one in own] for label, own in instances.items()}


def names(annotations: tuple[Annotation, ...]) -> list[str | None]:
    return [one.class_name for one in annotations]


def agreements(one: Annotation) -> dict[str, float]:
    return {known.label: known.score for known in one.evidence.agreement}


# --- what is asked -----------------------------------------------------------------------------------


REGIONS = [
    region(LEFT, "sky", "cloud"),
    region(LEFT, "car", "van", "sky"),
    region(LEFT, "car", "bus"),
    region(RIGHT, "unknown", "bus", "van"),
    Annotation(proposal(LEFT), None),
]


def test_names_are_asked_first_the_commonest_before_others() -> None:
    assert [*asked(REGIONS, COMPLETE, None)] == ["car", "sky"]
    assert [*asked(REGIONS, VERIFY, None)] == ["car", "sky", "van", "bus", "cloud"]
    assert asked(REGIONS, VERIFY, None)["van"] == ("van",)
    assert [*asked(REGIONS, replace(VERIFY, most_phrases=3), None)] == ["car", "sky", "van"]
    assert asked([], VERIFY, None) == {}


def test_a_class_is_asked_by_all_its_texts() -> None:
    own = parse_vocabulary("sky\ncar: automobile, motor car\nbus\nvan\ncloud")
    assert asked(REGIONS, COMPLETE, own) == {
        "car": ("car", "automobile", "motor car"),
        "sky": ("sky",),
    }
    assert asked(REGIONS, replace(COMPLETE, most_phrases=2), own) == {"car": ("car", "automobile")}


# --- verify ------------------------------------------------------------------------------------------


def test_a_proposal_agrees_as_well_as_its_best_instance() -> None:
    half = columns(0, 5)
    (one,) = verified(
        [region(LEFT, "cat", "dog", "tree")],
        found(dog=[(half, 1.0), (LEFT, 0.6), (RIGHT, 0.9)], cat=[(half, 0.8)], tree=[]),
        VERIFY,
    )
    assert agreements(one) == pytest.approx({"dog": 0.6, "cat": 0.4, "tree": 0.0})
    assert [known.label for known in one.evidence.agreement] == ["dog", "cat", "tree"]


@pytest.mark.parametrize(
    ("cat", "dog", "name"),
    [
        (0.0, 0.6, "dog"),
        (0.3, 0.55, "dog"),
        (0.5, 0.69, "cat"),  # it leads, but not by enough
        (0.0, 0.45, "cat"),  # it leads by enough, but hardly agrees itself
        (0.9, 0.2, "cat"),
        (0.0, 0.0, "cat"),
    ],
)
def test_a_proposal_takes_the_name_where_it_agrees_clearly_better(
    cat: float, dog: float, name: str
) -> None:
    before = region(LEFT, "cat", "dog")
    (one,) = verified([before], found(cat=[(LEFT, cat)], dog=[(LEFT, dog)]), VERIFY)
    assert one.class_name == name
    assert one.evidence.moved_to == (None if name == "cat" else name)
    assert agreements(one) == pytest.approx({"cat": cat, "dog": dog})
    # What others said stays as it was.
    assert (one.class_proposals, one.evidence.shares) == (
        before.class_proposals,
        before.evidence.shares,
    )


def test_the_rule_is_a_setting() -> None:
    regions, instances = [region(LEFT, "cat", "dog")], found(cat=[(LEFT, 0.5)], dog=[(LEFT, 0.6)])
    assert names(verified(regions, instances, VERIFY)) == ["cat"]
    assert names(verified(regions, instances, replace(VERIFY, least_lead=0.05))) == ["dog"]
    strict = replace(VERIFY, least_lead=0.05, least_agreement=0.7)
    assert names(verified(regions, instances, strict)) == ["cat"]


def test_a_name_that_was_not_asked_stays() -> None:
    (one,) = verified([region(LEFT, "cat", "dog")], found(dog=[(LEFT, 0.9)]), VERIFY)
    assert (one.class_name, agreements(one)) == ("cat", pytest.approx({"dog": 0.9}))


def test_unknown_agrees_with_nothing() -> None:
    one = replace(region(LEFT, "unknown"), class_proposals=("cat", "dog"))
    instances = found(cat=[(LEFT, 0.3)], dog=[(LEFT, 0.8)])
    assert names(verified([one], instances, VERIFY)) == ["dog"]
    assert names(verified([one], found(cat=[(LEFT, 0.3)]), VERIFY)) == ["unknown"]
    assert names(verified([one], {}, VERIFY)) == ["unknown"]


def test_a_part_keeps_its_name_and_belongs_to_the_new_name_of_its_whole() -> None:
    regions = [
        region(columns(0, 20), "car", "bus", node=TreeNode(None, 0)),
        region(columns(0, 8), "door", "wall", node=TreeNode(0, 1), part_of="car"),
        region(columns(0, 3), "handle", node=TreeNode(1, 2), part_of="car"),
        region(columns(4, 6), "lock", node=TreeNode(1, 2), part_of="door"),
        region(columns(9, 12), "car", "bus", node=TreeNode(0, 1)),
        region(columns(9, 10), "wheel", node=TreeNode(4, 2), part_of="car"),
    ]
    instances = found(car=[(columns(9, 12), 0.9)], bus=[(columns(0, 20), 0.9)], wall=[(LEFT, 1.0)])
    instances |= found(door=[])
    now = verified(regions, instances, VERIFY)
    assert names(now) == ["bus", "door", "handle", "lock", "car", "wheel"]
    assert [one.part_of for one in now] == [None, "bus", "bus", "door", None, "car"]


@given(
    scores=st.lists(st.floats(0, 1), min_size=3, max_size=3),
    cut=st.integers(1, 10),
)
def test_the_name_never_agrees_worse_for_being_verified(scores: list[float], cut: int) -> None:
    labels = ("cat", "dog", "cow")
    pairs = zip(labels, scores, strict=True)
    instances = found(**{label: [(columns(0, cut), score)] for label, score in pairs})
    (one,) = verified([region(LEFT, *labels)], instances, VERIFY)
    said = agreements(one)
    assert said[str(one.class_name)] >= said["cat"]
    best_first = [score * cut / 10 for score in sorted(scores, reverse=True)]
    assert [*said.values()] == pytest.approx(best_first)


# --- complete ----------------------------------------------------------------------------------------


def test_instances_that_no_region_is_are_missing() -> None:
    regions = [region(LEFT, "car"), region(columns(14, 20), "tree")]
    instances = found(
        car=[
            (LEFT, 0.9),  # the region itself
            (columns(0, 6), 0.8),  # more than half of it
            (columns(0, 4), 0.7),  # a car before the car
            (columns(14, 19), 0.9),  # a region that is called otherwise
            (columns(9, 16), 0.6),
        ],
        tree=[(columns(10, 16), 0.95), (columns(0, 4), 0.5)],
        dog=[(columns(10, 13), 1.0)],  # no name of the picture
    )
    missed = missing(regions, instances, COMPLETE)
    assert [(label, one.predicted_iou) for label, one in missed] == [("tree", 0.95), ("car", 0.7)]
    everything = missing(regions, instances, replace(COMPLETE, same_iou=1.1))
    assert len(everything) == 7
    assert missing([], instances, COMPLETE) == []


@given(
    st.lists(st.tuples(st.integers(0, 18), st.integers(1, 20), st.floats(0.01, 1)), max_size=8),
    st.lists(st.integers(0, 15), max_size=3),
)
def test_what_is_missing_is_like_no_region_and_all_else_is(
    stripes: list[tuple[int, int, float]], starts: list[int]
) -> None:
    own = [(columns(first, min(20, first + wide)), score) for first, wide, score in stripes]
    regions = [region(columns(first, first + 5), "car") for first in starts]
    instances = found(car=own)["car"]
    missed = [one for _, one in missing(regions, {"car": instances}, COMPLETE)]
    if not regions:
        assert missed == []
        return
    taken = [one.proposal.rle for one in regions] + [one.rle for one in missed]
    among = ious(taken, taken) - np.eye(len(taken))
    assert (among[len(regions) :] < 0.5).all()
    covered = ious([one.rle for one in instances], taken)
    assert all(row.max() >= 0.5 for row in covered)


# --- propose -----------------------------------------------------------------------------------------


def test_of_instances_that_are_one_thing_the_best_stays() -> None:
    instances = found(car=[(LEFT, 0.6), (columns(0, 8), 0.9), (RIGHT, 0.7), (columns(0, 3), 0.8)])
    kept = distinct(instances["car"], 0.5)
    assert [one.predicted_iou for one in kept] == [0.9, 0.8, 0.7]
    assert distinct([], 0.5) == []
