"""The miniature on the drawn world: a click on a part yields the part and its whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ssa.models.semantic_sam import SemanticSamMaskProposer
from tests.small_sam import CPU
from toyworld.scenes import Scene, draw_scene
from toyworld.seeds import evaluation_seed

TINY = Path(__file__).parents[3] / "weights" / "tiny" / "semantic_sam"


def wheels(scene: Scene) -> list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Each wheel that is well in sight, and what it belongs to."""
    return [
        (region.mask, scene.regions[region.parent].mask)
        for region in scene.regions
        if region.kind == "wheel" and region.visible > 0.9 and region.parent is not None
    ]


def middle_of(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    rows, columns = np.nonzero(mask)
    return np.array([[columns.mean() + 0.5, rows.mean() + 0.5]])


def iou(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / (one | other).sum())


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_a_click_on_a_wheel_yields_the_wheel_and_its_vehicle(seed: int) -> None:
    proposer = SemanticSamMaskProposer.load(TINY, CPU)
    number = seed * 1000
    while not wheels(scene := draw_scene(evaluation_seed(number))):
        number += 1
    wheel, vehicle = wheels(scene)[0]
    embedding = proposer.embed(scene.image)
    decoded = proposer.decode(embedding, middle_of(wheel))
    small = decoded.logits(torch.zeros(6, dtype=torch.long), torch.arange(6))
    height, width = wheel.shape
    large = proposer.enlargement(embedding).window(small, (0, 0, width, height), below=0.0)
    masks = (large[..., :-1].mT > 0).numpy()
    assert [iou(mask, vehicle) > 0.7 for mask in masks] == [True] * 3 + [False] * 3
    assert [iou(mask, wheel) > 0.7 for mask in masks] == [False] * 3 + [True] * 3
