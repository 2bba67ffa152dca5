"""Whose words a record rests on: those who spoke, by name, and nobody else."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import proposal

from ssa.labelling.witnesses import with_witnesses
from ssa.types import Annotation, Evidence, ScoredLabel, Vote

MODELS = {
    "coco_segmentor": "oneformer",
    "captions": "blip_base",
    "clip": "vit_b_32",
    "clipseg": "rd16",
    "bank": "tipsv2",
    "phrases": "sam3",
}
VOTES = (Vote("coco", "cat", 1.0), Vote("city", "cat", 1.0))
ONE, TWO = ((ScoredLabel("cat", 1.0),), (ScoredLabel("cat", 0.5), ScoredLabel("dog", 0.5)))


def annotated(evidence: Evidence) -> Annotation:
    return Annotation(proposal(np.ones((2, 2), np.bool_)), "cat", ("cat",), evidence)


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (Evidence(), {}),
        # A segmentor that was added isn't of the bundle; its vote bears its own name.
        (Evidence(votes=VOTES), {"coco": "oneformer"}),
        (Evidence(caption="a cat"), {"caption": "blip_base"}),
        (Evidence(ranking=ONE, shares=ONE), {"clip": "vit_b_32"}),
        (Evidence(ranking=ONE, bank=TWO), {"bank": "tipsv2", "clip": "vit_b_32"}),
        (Evidence(ranking=ONE, agreement=TWO), {"clip": "vit_b_32", "phrases": "sam3"}),
        (Evidence(ranking=TWO, shares=TWO), {"clip": "vit_b_32", "clipseg": "rd16"}),
    ],
)
def test_those_who_spoke_are_named(evidence: Evidence, expected: dict[str, str]) -> None:
    (one,) = with_witnesses((annotated(evidence),), MODELS)
    assert dict(one.evidence.models) == expected


def test_models_without_names_leave_no_trace() -> None:
    before = (annotated(Evidence(caption="a cat")),)
    assert with_witnesses(before, {}) is before
