"""Values that flow through the engine: immutable, compared by what they say of the picture."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from ssa.types import AnnotatedImage, Annotation, Evidence, LabelMap, ScoredLabel
from tests.fakes import proposal

MASK = np.eye(3, dtype=np.bool_)


@pytest.mark.parametrize(
    ("shares", "margin"), [((), None), ((1.0,), 1.0), ((0.75, 0.25), 0.5), ((0.4, 0.4, 0.2), 0.0)]
)
def test_the_margin_is_the_winners_lead(shares: tuple[float, ...], margin: float | None) -> None:
    scored = tuple(ScoredLabel(str(place), share) for place, share in enumerate(shares))
    assert Evidence(shares=scored).margin == margin


def test_values_are_not_edited() -> None:
    annotation = Annotation(proposal(MASK), "car")
    with pytest.raises(FrozenInstanceError):
        annotation.class_name = "truck"  # type: ignore[misc]
    with pytest.raises(TypeError):
        AnnotatedImage(3, 3, ()).stage_seconds["clip"] = 1.0  # type: ignore[index]


def test_seconds_and_the_label_map_do_not_make_two_results_differ() -> None:
    annotations = (Annotation(proposal(MASK), "car"),)
    label_map = LabelMap("coco", np.zeros((3, 3), np.int16), ("car",))
    plain = AnnotatedImage(3, 3, annotations)
    assert plain == AnnotatedImage(3, 3, annotations, {"clip": 2.0}, label_map)
    assert plain != AnnotatedImage(3, 4, annotations)
