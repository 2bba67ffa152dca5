"""Named regions whose evidence says something of whether the names are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from fakes import proposal

from ssa.score.guarantee import UNSEEN, Population
from ssa.types import Annotation, Evidence, ScoredLabel, Vote


def named(
    clip: float = 0.75,
    clipseg: float = 0.5,
    votes: Sequence[str] = ("cat", "dog"),
    nouns: Sequence[str] = ("black cat",),
    name: str = "cat",
) -> Annotation:
    """A region of six pixels in 24 that is called a cat, with a dog as the other proposal."""
    mask = np.zeros((4, 6), np.bool_)
    mask[1:3, 1:4] = True
    ranking = (ScoredLabel(name, clip), ScoredLabel("dog", 1 - clip))
    evidence = Evidence(
        votes=tuple(
            Vote(source, label, 0.5)
            for source, label in zip(("coco", "ade20k"), votes, strict=True)
        ),
        caption="a black cat",
        noun_phrases=tuple(nouns),
        ranking=tuple(sorted(ranking, key=lambda one: -one.score)),
        shares=(ScoredLabel(name, clipseg), ScoredLabel("dog", 1 - clipseg)),
    )
    return Annotation(proposal(mask), name, (name, "dog"), evidence)


def judged(count: int, seed: int = 0) -> tuple[list[Annotation], list[bool]]:
    """Regions with any evidence, and whether their names are right: as likely as CLIP's share of them."""
    rng = np.random.default_rng(seed)
    clips = rng.uniform(0.02, 0.98, count)
    found = [
        replace(one, proposal=replace(one.proposal, predicted_iou=float(iou)))
        for one, iou in zip(
            (named(float(clip), float(rng.uniform(0.5, 1))) for clip in clips),
            rng.uniform(0.5, 1, count),
            strict=True,
        )
    ]
    return found, (rng.random(count) < clips).tolist()


def unseen(confidences: np.ndarray, seed: int = 0) -> Population:
    """A population that nobody has looked at."""
    count = len(confidences)
    ranks = np.random.default_rng(seed).integers(0, 1 << 63, count, dtype=np.uint64)
    return Population(np.asarray(confidences, np.float64), ranks, np.full(count, UNSEEN, np.int8))
