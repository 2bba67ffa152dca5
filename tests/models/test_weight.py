"""Weights in memory are counted by their storages, each once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from fakes import stages
from torch import nn

from ssa.models.weight import bytes_by_role, weight_bytes


@dataclass
class Holding:
    model: nn.Module


def test_what_is_shared_counts_once() -> None:
    layer = nn.Linear(3, 2, bias=False)
    tied = nn.ModuleList([layer, nn.Linear(3, 2, bias=False)])
    tied[1].weight = layer.weight  # type: ignore[union-attr]
    layer.register_buffer("offsets", torch.zeros(5, dtype=torch.float64))
    assert weight_bytes([Holding(tied), object.__new__(Holding)]) == 3 * 2 * 4 + 5 * 8


def test_each_role_is_told_by_its_name() -> None:
    own = replace(
        stages([]),
        ranker=Holding(nn.Linear(4, 4, bias=False)),
        captioner=None,  # type: ignore[arg-type]
        phrases=Holding(nn.Linear(2, 2, bias=False)),
    )
    found = bytes_by_role(own)
    assert (found["clip"], found["phrases"]) == (64, 16)
    assert set(found) == {
        *(
            "sam",
            "semantic_sam",
            "coco_segmentor",
            "ade20k_segmentor",
            "clip",
            "clipseg",
            "phrases",
        ),
    }


def test_one_model_in_two_roles_counts_for_the_first() -> None:
    both = Holding(nn.Linear(4, 4, bias=False))
    found = bytes_by_role(replace(stages([]), ranker=both, chooser=both))  # type: ignore[arg-type]
    assert (found["clip"], "clipseg" in found) == (64, False)
