"""Both systems set up side by side: the same weights, the same settings, on the same device."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from segment_anything import SamAutomaticMaskGenerator

from benchmarks.compare import STAGE_OF_FIELD
from benchmarks.measure import now
from benchmarks.published import load_generator
from benchmarks.real_sizes import write_bundle
from benchmarks.reference import Reference, load_reference
from benchmarks.report import MEBIBYTE, Figures
from benchmarks.stand_ins import CannedCaptioner, canned, passable
from ssa.config import Settings
from ssa.device import Placement, choose_placement
from ssa.errors import WeightsError
from ssa.loading import load_engine, load_stages, made_ready
from ssa.models.weight import weight_bytes
from ssa.stages import Stages
from ssa.types import RGBImage
from ssa.weights import Bundle, default_root, load_manifest

# As long as the published captions of crops are in the mean.
RANDOM_CAPTION_TOKENS = 12


@dataclass(frozen=True, slots=True)
class Contenders:
    """Both systems with the same weights and settings, and what it took to set ours up."""

    stages: Stages
    settings: Settings
    reference: Reference
    generator: SamAutomaticMaskGenerator
    placement: Placement
    figures: Figures


def set_up(arguments: argparse.Namespace, image: RGBImage, folder: Path | None) -> Contenders:
    """Load both systems; with ``folder``, from random weights written there first."""
    placement = choose_placement(arguments.device, arguments.dtype)
    device, name = placement.device, arguments.bundle
    written = write_bundle(folder, name) if folder else None
    began = now(device)
    if written:
        settings = with_short_captions(load_manifest().bundle(name).settings)
        stages, bundle = load_stages(written, settings, placement), written
        settings = made_ready(stages, settings, placement)
    else:
        loaded = load_engine(default_root(), name, arguments.device, arguments.dtype)
        stages, settings, bundle = loaded.stages, loaded.settings, loaded.bundle
    figures: Figures = {
        "setup.seconds": now(device) - began,
        "weights_mb": weight_bytes(models_of(stages)) / MEBIBYTE,
    }
    if arguments.points:
        settings = settings.searching("sam", points_per_side=arguments.points)
    reference, generator, settings = load_published(bundle, stages, settings, device, image, folder)
    if folder and stages.captioner:
        stages = replace(stages, captioner=CannedCaptioner(stages.captioner))
        reference = replace(reference, caption=canned(reference.caption))
    return Contenders(stages, settings, reference, generator, placement, figures)


def models_of(stages: Stages) -> Iterator[object]:
    """Every model of the published pipeline's stages."""
    for name in STAGE_OF_FIELD:
        stage = getattr(stages, name)
        several = stage.values() if isinstance(stage, Mapping) else stage
        yield from several if isinstance(several, Iterable) else (several,)


def with_short_captions(settings: Settings) -> Settings:
    """Captions of a fixed length: random weights know no end."""
    return replace(
        settings, labels=replace(settings.labels, caption_max_tokens=RANDOM_CAPTION_TOKENS)
    )


def load_published(
    bundle: Bundle,
    stages: Stages,
    settings: Settings,
    device: torch.device,
    image: RGBImage,
    random: Path | None,
) -> tuple[Reference, SamAutomaticMaskGenerator, Settings]:
    """The published pipeline, and the settings with thresholds that some masks of random weights pass."""
    if stages.captioner is None or stages.nouns is None or stages.chooser is None:
        raise WeightsError(
            f"expected a bundle with all that the published engine has; got {bundle.name}"
        )
    generator = load_generator(bundle.folder("sam"), settings.masks["sam"], device)
    if random:
        model = generator.predictor.model
        masks = passable(settings.masks["sam"], model, image)
        settings = replace(settings, masks={**settings.masks, "sam": masks})
        generator = load_generator(bundle.folder("sam"), settings.masks["sam"], device)
    return load_reference(bundle, stages.nouns, settings.labels, device), generator, settings
