"""From a folder of weights to a working engine: the one place where settings, weights and device meet."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ssa.config import Settings
from ssa.cores import mind_other_processes, use_own_cores
from ssa.device import (
    Placement,
    choose_attention,
    choose_placement,
    keep_within,
    memory_limit,
)
from ssa.engine import Engine
from ssa.errors import InputError, WeightsError
from ssa.labelling.confidence import FILE, Confidence, read_confidence
from ssa.masks.proposal import proposal_of
from ssa.models.fitting import CudaMeter, fitted
from ssa.models.roles import load_models
from ssa.models.tables.segmentors import load_segmentor
from ssa.stages import Stages
from ssa.weights import Bundle, choose_bundle, verify_what_changed

logger = logging.getLogger(__name__)

WARM_UP_PX = 512
"""The side of the picture that is labelled before any other."""


@dataclass(frozen=True, slots=True)
class LoadedEngine:
    """An engine, its models one by one, the settings its weights are meant for, which those are, and
    where they run.
    """

    engine: Engine
    stages: Stages
    settings: Settings
    bundle: Bundle
    placement: Placement


def load_engine(
    root: Path,
    bundle: str | None = None,
    device: str | None = None,
    dtype: str | None = None,
    segmentor: Path | None = None,
) -> LoadedEngine:
    """Verify a bundle under ``root`` and load its models; nothing is downloaded.

    Of what is verified, files that look as they did when they were last found whole aren't read for it.
    Without ``bundle`` the best one present is taken. ``device`` and ``dtype`` are as for
    ``ssa.device.choose_placement``. ``segmentor`` is the folder of one more, for closed-set labels: it is
    called by the folder's name, and taken unless another is asked for. On CUDA batches are as large as
    there is room for, within ``SSA_MEMORY_GB``. Raises ``WeightsError`` when a file is missing or damaged,
    naming it and the command that brings it, and ``ValueError`` for a limit that can't be kept.
    """
    began = time.perf_counter()
    chosen = choose_bundle(root, bundle)
    verify_what_changed(chosen)
    settings = chosen.spec.settings
    placement, limit = choose_placement(device, dtype), memory_limit()
    use_own_cores()
    stages = load_stages(chosen, settings, placement)
    stages = replace(stages, confidence=bundle_confidence(chosen))
    if segmentor is not None:
        stages = with_segmentor(stages, segmentor, placement)
        settings = replace(settings, segmentor=segmentor.absolute().name)
    logger.info("weights loaded in %.1f s", time.perf_counter() - began)
    settings = made_ready(stages, settings, placement, limit)
    logger.info("ready in %.1f s", time.perf_counter() - began)
    if placement.device.type == "cpu":
        mind_other_processes()
    return LoadedEngine(Engine(stages), stages, settings, chosen, placement)


def made_ready(
    stages: Stages, settings: Settings, placement: Placement, limit: int | None = None
) -> Settings:
    """The settings with batches that fit a CUDA device, which is kept to ``limit`` bytes and warmed up.

    Says how attention is computed there (``choose_attention``). On a CPU nothing is to be done.
    """
    if placement.device.type != "cuda":
        if limit:
            logger.info("SSA_MEMORY_GB is for CUDA devices; on a CPU batches are small anyway")
        return settings
    choose_attention(placement.device)
    if limit:
        keep_within(limit, placement.device)
    settings = fitted(stages, settings, CudaMeter(placement.device, limit))
    warm_up(stages, settings)
    return settings


def warm_up(stages: Stages, settings: Settings) -> None:
    """Label noise once, a full batch of regions, so that kernels are loaded and steps recorded.

    Finding masks has been tried already, where batches were fitted.
    """
    side = WARM_UP_PX
    noise = np.random.default_rng(0).integers(0, 255, (side, side, 3), dtype=np.uint8)
    mask = np.zeros((side, side), np.bool_)
    mask[: side // 2, : side // 2] = True
    Engine(stages).label(noise, [proposal_of(mask)] * settings.batches.captioner, settings)


def load_stages(bundle: Bundle, settings: Settings, placement: Placement) -> Stages:
    """Every model of a bundle, from ``weights/<bundle>/<role>``; see ``ssa.models.roles``."""
    stages = load_models(bundle.folders(), settings.labels, placement)
    models = bundle.models()
    if stages.dense is not None:
        models["bank"] = models["clip" if stages.dense is stages.ranker else "clipseg"]
    return replace(stages, remedies=bundle.mask_remedies(), models=models)


def bundle_confidence(bundle: Bundle) -> Confidence | None:
    """How likely the names of a bundle's models are right, if it brings that.

    Raises ``WeightsError`` for a file that says something else.
    """
    if not bundle.has("confidence"):
        return None
    try:
        return read_confidence(bundle.folder("confidence") / FILE)
    except InputError as error:
        raise WeightsError(f"{bundle.name}/confidence: {error}; {bundle.remedy}") from error


def with_segmentor(stages: Stages, folder: Path, placement: Placement) -> Stages:
    """The stages with one more closed-set segmentor, called by its folder's name.

    Raises ``WeightsError`` for a folder without a segmentor, and for a name that is taken.
    """
    name = folder.absolute().name
    if name in stages.closed_set:
        raise WeightsError(
            f"segmentor: expected a folder with a name of its own; got {name!r}, which the bundle's "
            "own segmentor has; rename it"
        )
    added = load_segmentor(folder, placement, name)
    return replace(stages, closed_set={**stages.closed_set, name: added})
