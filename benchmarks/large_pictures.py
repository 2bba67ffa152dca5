"""The whole engine on ever larger pictures: one enlarged, of which a model sees as much as ever."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

import cv2
import torch

from benchmarks.compare import Side, time_once
from benchmarks.measure import StageWatch
from benchmarks.report import MEBIBYTE
from ssa.config import Settings
from ssa.engine import Engine
from ssa.stages import Stages
from ssa.types import RGBImage

LARGE_MEGAPIXELS = (2.4, 24.0, 98.0)


def enlarged(image: RGBImage, megapixels: float) -> RGBImage:
    """The picture with about so many pixels, smoothly."""
    scale = math.sqrt(megapixels * 1e6 / (image.shape[0] * image.shape[1]))
    size = round(image.shape[1] * scale), round(image.shape[0] * scale)
    large: RGBImage = cv2.resize(image, size, interpolation=cv2.INTER_CUBIC)
    return large


def large_figures(
    stages: Stages,
    image: RGBImage,
    settings: Settings,
    device: torch.device,
    repeats: int,
    megapixels: Sequence[float] = LARGE_MEGAPIXELS,
) -> dict[str, float]:
    """``large.<megapixels>_seconds``, ``_times`` those of the first size, ``_peak_rise_mb``; sizes by turns.

    Finding masks and naming them; the median of ``repeats`` runs, after one that doesn't count.
    """
    engine = Engine(stages)
    pictures = {f"large.{size:g}": enlarged(image, size) for size in megapixels}
    sides = {name: Side() for name in pictures}
    for _ in range(repeats + 1):
        for name, picture in pictures.items():

            def run(_: StageWatch, picture: RGBImage = picture) -> tuple[None, Mapping[str, float]]:
                return None, engine.annotate(picture, settings).stage_seconds

            time_once(run, sides[name], device)
    seconds = {name: statistics.median(side.seconds[1:]) for name, side in sides.items()}
    first = next(iter(seconds.values()))
    figures: dict[str, float] = {}
    for name, side in sides.items():
        figures[f"{name}_seconds"] = seconds[name]
        figures[f"{name}_times"] = seconds[name] / first
        figures[f"{name}_peak_rise_mb"] = max(side.peak_bytes) / MEBIBYTE
    return figures
