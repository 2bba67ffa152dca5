"""The whole engine in bulk, as a GPU has it, names and finds what it does crop by crop."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from ssa.config import LARGEST_BATCHES
from ssa.device import Placement
from ssa.engine import Engine
from ssa.loading import load_stages
from ssa.masks.run_lengths import decode
from ssa.types import AnnotatedImage
from ssa.weights import choose_bundle, default_root
from toyworld.scenes import draw_scene
from toyworld.seeds import evaluation_seed

BUNDLE = choose_bundle(default_root(), "tiny")
FEW_POINTS = BUNDLE.spec.settings.searching("sam", points_per_side=8)
SCENES = [draw_scene(evaluation_seed(number)).image for number in (3, 4)]


def annotated(*, in_bulk: bool) -> list[AnnotatedImage]:
    placement = Placement(torch.device("cpu"), torch.float32, bulk=in_bulk)
    batches = LARGEST_BATCHES if in_bulk else FEW_POINTS.batches
    engine = Engine(load_stages(BUNDLE, FEW_POINTS, placement))
    return [engine.annotate(scene, replace(FEW_POINTS, batches=batches)) for scene in SCENES]


def test_names_and_masks_are_those_of_the_plain_way() -> None:
    for mine, theirs in zip(annotated(in_bulk=True), annotated(in_bulk=False), strict=True):
        assert len(mine.annotations) == len(theirs.annotations) > 3
        for one, other in zip(mine.annotations, theirs.annotations, strict=True):
            assert one.class_name == other.class_name
            assert one.class_proposals == other.class_proposals
            assert (decode(one.proposal.rle) != decode(other.proposal.rle)).sum() <= 2
            votes = [one.evidence.votes, other.evidence.votes]  # type: ignore[union-attr]
            assert [vote.label for vote in votes[0]] == [vote.label for vote in votes[1]]
            shares = np.array([[vote.share for vote in each] for each in votes])
            assert np.abs(shares[0] - shares[1]).max() < 0.01
