"""Folders of results whose names are right as often as their evidence says, and somebody who knows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from dataset_doubles import FakeWorkers, Watcher, draw_pictures, items_of
from fakes import proposal

from ssa.dataset.export import Wanted
from ssa.dataset.identity import Identity
from ssa.dataset.output import opened
from ssa.dataset.run import Task, run
from ssa.formats import sa1b_files
from ssa.review.decisions import Accepted, Decision, RegionRef, Rejected, fingerprint
from ssa.review.log import FILE, DecisionLog
from ssa.types import AnnotatedImage
from tests.score.made_up import judged

REGIONS = 40

Truth = dict[tuple[str, int], tuple[RegionRef, bool]]
"""By a picture's key and a region's id: what decisions call it, and whether it is a cat."""


def results(out: Path, pictures: int, detail: bool = True) -> Truth:
    """Fill ``out``: pictures with ``REGIONS`` regions each, all called a cat."""
    items = items_of(draw_pictures(out.parent / "pictures", pictures))
    with opened(out) as output:
        run(output, Task(items, Identity({"bundle": "tiny"}), Wanted()), FakeWorkers(), Watcher())
    regions, right = judged(pictures * REGIONS, seed=3)
    truth: Truth = {}
    for number, item in enumerate(items):
        places = range(number * REGIONS, (number + 1) * REGIONS)
        own = []
        for place, index in enumerate(places):
            scores = regions[index].proposal
            mask = replace(proposal(_mask(place)), predicted_iou=scores.predicted_iou)
            own.append(replace(regions[index], proposal=mask))
            ref = RegionRef(item.key, place, fingerprint(mask.rle))
            truth[item.key, place] = (ref, right[index])
        annotated = AnnotatedImage(12, 16, tuple(own))
        path = out / "annotations" / f"{item.key}.json"
        path.write_bytes(sa1b_files.dumps(annotated, item.key, item.file_name, detail=detail))
    return truth


def _mask(place: int) -> np.ndarray:
    """One of many masks of the same size."""
    mask = np.zeros(12 * 16, np.bool_)
    mask[place : place + 9] = True
    return mask.reshape(12, 16)


def review(out: Path, truth: Truth, regions: list[tuple[str, int]]) -> None:
    """Decide on these regions, one by one, as the truth has them."""
    with DecisionLog(out / FILE) as log:
        for region in regions:
            ref, is_right = truth[region]
            decision: Decision = Accepted(ref, "cat") if is_right else Rejected(ref)
            log.append([decision], by="me")
