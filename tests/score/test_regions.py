from __future__ import annotations

from dataclasses import replace

import numpy as np
from example_pictures import annotation

from ssa.formats.example import Example, Mark
from ssa.score.regions import regions_of
from ssa.types import Evidence, ScoredLabel, TreeNode


def test_a_runs_annotation_is_a_region() -> None:
    mask = np.eye(4, dtype=np.bool_)
    evidence = Evidence(shares=(ScoredLabel("cat", 0.7), ScoredLabel("dog", 0.2)), cluster_id=3)
    whole = replace(
        annotation(mask, "cat"), evidence=evidence, node=TreeNode(None, 0), confidence=0.6
    )
    part = replace(annotation(mask, None), node=TreeNode(0, 1))
    example = Example("a", "a.png", 4, 4, (whole, part), marks=(Mark(7), Mark("5.0")))
    one, other = regions_of(example)
    assert (one.label, one.id, one.confidence, one.cluster) == ("cat", 7, 0.6, 3)
    assert one.margin is not None
    assert abs(one.margin - 0.5) < 1e-9
    assert (one.parent, one.has_place, one.mask) == (None, True, whole.proposal.rle)
    assert (other.label, other.id, other.parent, other.margin) == (None, "5.0", 0, None)
