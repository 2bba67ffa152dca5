"""What regions look like: the direction of the cells they cover."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import proposal, squares

from ssa.config import ClusterSettings
from ssa.labelling.looks import with_looks
from ssa.types import Annotation, ImageEmbedding

CELLS = np.eye(4, dtype=np.float32).reshape(4, 2, 2)


def test_each_says_it_and_nothing_else_changes() -> None:
    named = [Annotation(proposal(mask), "cat", ("cat",)) for mask in squares(4, 4, 2)]
    settings = ClusterSettings(standardised=False)
    found = with_looks(named, ImageEmbedding(CELLS, (2.0, 2.0)), settings)
    assert np.array([one.evidence.embedding for one in found]) == pytest.approx(np.eye(4))
    assert [(one.class_name, one.proposal) for one in found] == [
        (one.class_name, one.proposal) for one in named
    ]


def test_no_regions_look_like_nothing() -> None:
    assert with_looks((), ImageEmbedding(CELLS, (2.0, 2.0)), ClusterSettings()) == ()
