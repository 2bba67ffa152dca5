"""From a folder of weights to a working engine: the one place where settings, weights and device meet."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path

from ssa.config import BUNDLE_SETTINGS, Settings
from ssa.device import Placement, choose_placement
from ssa.engine import Engine, Stages
from ssa.labels import load_labels
from ssa.models.blip import BlipCaptioner
from ssa.models.clip import OpenClipRanker
from ssa.models.clipseg import ClipSegChooser
from ssa.models.oneformer import OneFormerSegmentor
from ssa.models.sam import SamMaskProposer
from ssa.models.spacy_nouns import SpacyNounExtractor
from ssa.weights import Bundle, choose_bundle, verify

logger = logging.getLogger(__name__)


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
    root: Path, bundle: str | None = None, device: str | None = None, dtype: str | None = None
) -> LoadedEngine:
    """Verify a bundle under ``root`` and load its models; nothing is downloaded.

    Without ``bundle`` the best one present is taken. ``device`` and ``dtype`` are as for
    ``ssa.device.choose_placement``. Raises ``WeightsError`` when a file is missing or damaged, naming it
    and the command that brings it.
    """
    began = time.perf_counter()
    chosen = choose_bundle(root, bundle)
    verify(chosen)
    settings = BUNDLE_SETTINGS[chosen.name]
    placement = choose_placement(device, dtype)
    stages = load_stages(chosen, settings, placement)
    logger.info("weights loaded in %.1f s", time.perf_counter() - began)
    return LoadedEngine(Engine(stages), stages, settings, chosen, placement)


def load_stages(bundle: Bundle, settings: Settings, placement: Placement) -> Stages:
    """Every model of a bundle, from ``weights/<bundle>/<role>``."""
    labels = settings.labels
    return Stages(
        proposer=SamMaskProposer.load(bundle.folder("sam"), placement),
        segmentors=tuple(
            OneFormerSegmentor.load(
                bundle.folder(f"{source}_segmentor"), placement, source, load_labels(source)
            )
            for source in ("coco", "ade20k")
        ),
        captioner=BlipCaptioner.load(
            bundle.folder("captions"), placement, labels.caption_max_tokens
        ),
        nouns=SpacyNounExtractor.load(bundle.folder("nouns")),
        ranker=OpenClipRanker.load(bundle.folder("clip"), placement),
        chooser=ClipSegChooser.load(bundle.folder("clipseg"), placement, labels.clipseg_side_px),
    )
