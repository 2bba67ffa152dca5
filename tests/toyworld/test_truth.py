"""Which names of an annotated scene are right: those of the region that a mask is."""

from __future__ import annotations

import numpy as np
from fakes import proposal

from ssa.types import AnnotatedImage, Annotation
from toyworld.scenes import draw_scene
from toyworld.seeds import training_seed
from toyworld.truth import are_right

SCENE = draw_scene(training_seed(7), 128, 128)


def judged(*pairs: tuple[np.ndarray, str | None]) -> list[bool]:
    annotations = tuple(Annotation(proposal(mask), name) for mask, name in pairs)
    return are_right(SCENE, AnnotatedImage(*SCENE.image.shape[:2], annotations))


def test_a_region_by_its_kind_is_right_and_by_another_is_wrong() -> None:
    own = [(region.mask, region.kind) for region in SCENE.regions]
    assert judged(*own) == [True] * len(own)
    assert judged(*((mask, "zeppelin") for mask, _ in own)) == [False] * len(own)
    assert judged((own[0][0], None)) == [False]


def test_a_mask_that_is_no_region_has_no_right_name() -> None:
    region = SCENE.regions[0]
    corner = np.zeros_like(region.mask)
    corner[:3, :3] = True
    assert judged((corner, region.kind)) == [False]
    assert judged((np.zeros_like(region.mask), region.kind)) == [False]
