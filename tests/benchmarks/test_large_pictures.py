"""The engine on one picture at several sizes."""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.large_pictures import enlarged, large_figures
from ssa.device import Placement
from ssa.loading import load_stages
from ssa.weights import choose_bundle, default_root


def test_every_size_has_its_seconds_and_how_many_times_the_first_these_are() -> None:
    bundle = choose_bundle(default_root(), "tiny")
    cpu = torch.device("cpu")
    settings = bundle.spec.settings.searching("sam", points_per_side=2)
    stages = load_stages(bundle, settings, Placement(cpu, torch.float32))
    picture = np.random.default_rng(0).integers(0, 255, (60, 90, 3), dtype=np.uint8)
    figures = large_figures(stages, picture, settings, cpu, 1, (0.01, 0.02))
    whats = ("seconds", "times", "peak_rise_mb")
    assert set(figures) == {f"large.{size}_{what}" for size in (0.01, 0.02) for what in whats}
    assert figures["large.0.01_times"] == 1
    ratio = figures["large.0.02_seconds"] / figures["large.0.01_seconds"]
    assert figures["large.0.02_times"] == ratio > 0


def test_an_enlarged_picture_keeps_its_shape() -> None:
    picture = np.full((60, 90, 3), 7, np.uint8)
    large = enlarged(picture, 0.54)
    assert large.shape == (600, 900, 3)
    assert (large == 7).all()
