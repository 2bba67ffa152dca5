"""The draw: by what regions are, half of them to learn from, and what was said of each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from example_pictures import example

from ssa.formats.example import Example
from ssa.review.amending import Amended
from ssa.review.decisions import Accepted, Decision, RegionRef, Rejected, Unsure, fingerprint
from ssa.review.history import Entry, History
from ssa.score.guarantee import RIGHT, UNSEEN, WRONG
from ssa.score.sampling import census, learnt_from

PICTURES = 20


def pictures() -> list[Example]:
    """Twenty pictures of four regions, each with a confidence of its own but for the last."""
    masks = [np.eye(4, 6, k=k, dtype=np.bool_) for k in range(4)]
    found = []
    for number in range(PICTURES):
        picture = example(f"p/{number:02}.png", masks, ["cat", "dog", "cat", "tree"])
        sure = [(4 * number + place) / 100 for place in range(3)] + [None]
        annotations = tuple(
            replace(one, confidence=own) for one, own in zip(picture.annotations, sure, strict=True)
        )
        found.append(replace(picture, annotations=annotations))
    return found


def decided(*decisions: Decision) -> Amended:
    history = History()
    history.take(Entry(1, "", "me", decisions))
    return Amended(history)


def ref(picture: Example, place: int) -> RegionRef:
    return RegionRef(picture.key, place, fingerprint(picture.annotations[place].proposal.rle))


def test_every_region_with_a_confidence_is_counted() -> None:
    first, second, *_ = found = pictures()
    amended = decided(
        Accepted(ref(first, 0), "cat"), Rejected(ref(first, 1)), Unsure(ref(second, 2))
    )
    counted = census(found, amended)
    assert (len(counted.population.confidences), counted.untold) == (60, 20)
    assert counted.population.verdicts[:6].tolist() == [RIGHT, WRONG, UNSEEN, UNSEEN, UNSEEN, WRONG]
    assert counted.population.confidences[3] == 0.04
    assert counted.places(np.array([0, 2, 3])) == {first.key: [0, 2], second.key: [0]}


def test_the_draw_depends_on_nothing_but_the_region() -> None:
    found = pictures()
    one, other = census(found, decided()), census(found[::-1], decided())
    order = [(key, place) for key in range(PICTURES) for place in range(3)]
    ranks = {
        (counted.pictures[picture], place): int(rank)
        for counted in (one, other)
        for picture, place, rank in zip(
            counted.picture_of, counted.place_of, counted.population.ranks, strict=True
        )
    }
    assert len(ranks) == len(order) == len(set(ranks.values()))


def test_what_is_learnt_from_is_never_what_is_checked() -> None:
    found = pictures()
    amended = decided(
        *(Accepted(ref(one, 0), "cat") for one in found),
        *(Rejected(ref(one, 1)) for one in found),
        *(Unsure(ref(one, 2)) for one in found),
    )
    learnt, checked = (
        [(one.key, place, right) for one, place, right in learnt_from(found, amended, sampled)]
        for sampled in (False, True)
    )
    assert not set(learnt) & set(checked)
    assert {(place, right) for _, place, right in learnt + checked} == {(0, True), (1, False)}
    assert len(learnt) + len(checked) == 2 * PICTURES
    assert learnt
    assert checked
