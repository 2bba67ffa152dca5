"""What people made of the names that a run gave: right, wrong, or more than they could tell."""

from __future__ import annotations

from typing import Literal

from ssa.formats.example import Example
from ssa.review.amending import Amended
from ssa.review.replay import RegionNow

Verdict = Literal["right", "wrong", "unsure"]


def verdicts(example: Example, amended: Amended) -> list[Verdict | None]:
    """What was said of each region of a picture as it was found; None where nobody has looked.

    A name is right if it stayed, whatever became of the mask. It is wrong where another took its place, and
    where the region was rejected, split or joined: it was no thing of its own.
    """
    now = {one.position: one for one in amended.now(example).regions}
    return [
        _verdict(now.get(position), _name_now(one.class_name, amended))
        for position, one in enumerate(example.annotations)
    ]


def _name_now(label: str | None, amended: Amended) -> str | None:
    return None if label is None else amended.name_now(label)


def _verdict(region: RegionNow | None, found: str | None) -> Verdict | None:
    if region is None:
        return "wrong"
    if not region.was_looked_at:
        return None
    if region.reviewed == "unsure":
        return "unsure"
    return "right" if region.reviewed != "rejected" and region.label == found else "wrong"
