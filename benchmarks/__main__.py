"""Command line of ``./scripts/benchmark``: the engine beside the published pipeline on one picture."""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import transformers
from segment_anything import SamAutomaticMaskGenerator

from benchmarks.compare import STAGE_OF_FIELD, Duel, compare_labelling, compare_masks
from benchmarks.drawn_masks import draw_masks
from benchmarks.measure import matrix_rate, now, weight_bytes
from benchmarks.real_sizes import SIZES, write_bundle
from benchmarks.reference import Reference, load_generator, load_reference
from benchmarks.report import (
    MEBIBYTE,
    Figures,
    figures_of,
    machine,
    slope_figures,
    table,
    total_figures,
    versions,
)
from benchmarks.slope import slope_over_masks, slope_over_pixels
from benchmarks.stand_ins import CannedCaptioner, canned, passable
from ssa.config import BUNDLE_SETTINGS, Settings
from ssa.device import Placement, choose_placement
from ssa.loading import load_engine, load_stages
from ssa.models.promptable.amg import no_progress
from ssa.pictures.decoding import decode_image
from ssa.stages import Stages
from ssa.types import MaskProposal, RGBImage
from ssa.weights import Bundle, default_root

STREET = Path(__file__).parents[1] / "examples" / "street.png"
PARTS = ("label", "amg", "total")
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


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print the table, write the figures."""
    arguments = parse(argv)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    image = decode_image(arguments.image)
    with ExitStack() as stack:
        folder: Path | None = None
        if arguments.random_weights:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ssa-random-")))
        contenders = set_up(arguments, image, folder)
        figures = measure(arguments, image, contenders)
    print(table(figures))
    if arguments.json:
        known = {
            key: None if isinstance(value, float) and math.isnan(value) else value
            for key, value in figures.items()
        }
        arguments.json.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    return 0


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The arguments, checked."""
    parser = argparse.ArgumentParser(prog="ssa benchmark", description=__doc__)
    parser.add_argument("--bundle", default="tiny", choices=tuple(BUNDLE_SETTINGS))
    parser.add_argument(
        "--random-weights", action="store_true", help="the bundle's real sizes without its weights"
    )
    parser.add_argument("--image", type=Path, default=STREET)
    parser.add_argument("--masks", type=positive, help="label N drawn masks (default: those found)")
    parser.add_argument("--points", type=positive, help="prompts a side (default: the bundle's)")
    parser.add_argument("--device")
    parser.add_argument("--dtype", help="ours; the published pipeline is float32")
    parser.add_argument("--repeats", type=positive, default=3)
    parser.add_argument("--parts", type=parts, default=PARTS, help="of label,amg,total")
    parser.add_argument("--no-counts", action="store_true", help="no operations, no stages' peaks")
    parser.add_argument("--slope", action="store_true", help="time over masks and over pixels")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args(argv)
    if arguments.random_weights and arguments.bundle not in SIZES:
        parser.error(f"--random-weights is for --bundle {' or '.join(SIZES)}")
    return arguments


def positive(text: str) -> int:
    """A number of at least one, for argparse."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, got {value}")
    return value


def parts(text: str) -> tuple[str, ...]:
    """Some of ``PARTS``, comma-separated, for argparse; "total" needs the two others."""
    asked = text.split(",")
    if not set(asked) <= set(PARTS):
        raise argparse.ArgumentTypeError(f"expected some of {','.join(PARTS)}; got {text!r}")
    return PARTS if "total" in asked else tuple(asked)


def set_up(arguments: argparse.Namespace, image: RGBImage, folder: Path | None) -> Contenders:
    """Load both systems; with ``folder``, from random weights written there first."""
    placement = choose_placement(arguments.device, arguments.dtype)
    device, name = placement.device, arguments.bundle
    written = write_bundle(folder, name) if folder else None
    began = now(device)
    if written:
        settings = with_short_captions(BUNDLE_SETTINGS[name])
        stages, bundle = load_stages(written, settings, placement), written
    else:
        loaded = load_engine(default_root(), name, arguments.device, arguments.dtype)
        stages, settings, bundle = loaded.stages, loaded.settings, loaded.bundle
    figures: Figures = {
        "setup.seconds": now(device) - began,
        "weights_mb": weight_bytes(models_of(stages)) / MEBIBYTE,
    }
    if arguments.points:
        masks = replace(settings.masks, points_per_side=arguments.points)
        settings = replace(settings, masks=masks)
    reference, generator, settings = load_published(bundle, stages, settings, device, image, folder)
    if folder:
        stages = replace(stages, captioner=CannedCaptioner(stages.captioner))
        reference = replace(reference, caption=canned(reference.caption))
    return Contenders(stages, settings, reference, generator, placement, figures)


def models_of(stages: Stages) -> Iterator[object]:
    """Every model of the published pipeline's stages."""
    for name in STAGE_OF_FIELD:
        stage = getattr(stages, name)
        yield from stage if isinstance(stage, tuple) else (stage,)


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
    generator = load_generator(bundle.folder("sam"), settings.masks, device)
    if random:
        model = generator.predictor.model
        settings = replace(settings, masks=passable(settings.masks, model, image))
        generator = load_generator(bundle.folder("sam"), settings.masks, device)
    return load_reference(bundle, stages.nouns, settings.labels, device), generator, settings


def measure(arguments: argparse.Namespace, image: RGBImage, contenders: Contenders) -> Figures:
    """All that was asked for, as flat figures."""
    c, device = contenders, contenders.placement.device
    our_rate = reference_rate = matrix_rate(device, torch.float32)
    if c.placement.dtype != torch.float32:
        our_rate = matrix_rate(device, c.placement.dtype)
    duels: dict[str, Duel] = {}
    if "amg" in arguments.parts:
        duels["amg"] = compare_masks(
            c.stages.proposer,
            c.generator,
            image,
            c.settings.masks,
            device,
            arguments.repeats,
            counts=not arguments.no_counts,
        )
    proposals: Sequence[MaskProposal] = ()
    if "label" in arguments.parts:
        proposals = masks_to_label(arguments.masks, image, c)
        duels["label"] = compare_labelling(
            c.stages,
            c.reference,
            image,
            proposals,
            c.settings,
            device,
            arguments.repeats,
            counts=not arguments.no_counts,
        )
    figures: Figures = {}
    for work, duel in duels.items():
        figures |= figures_of(work, duel, our_rate, reference_rate)
    if "total" in arguments.parts:
        figures |= total_figures(list(duels.values()))
    peaks = [max(duel.ours.peak_bytes) for duel in duels.values()]
    figures |= c.figures
    figures["peak_memory_mb"] = float(c.figures["weights_mb"]) + max(peaks) / MEBIBYTE
    if arguments.slope:
        figures |= slopes(arguments, image, c)
    return figures | {
        "masks": len(proposals),
        "picture.megapixels": image.shape[0] * image.shape[1] / 1e6,
        "amg.points_per_side": c.settings.masks.points_per_side,
        "amg.pred_iou_thresh": c.settings.masks.pred_iou_thresh,
        "amg.stability_score_thresh": c.settings.masks.stability_score_thresh,
        "matrix_rate.gflop_per_second": our_rate / 1e9,
        "reference.matrix_rate_gflop_per_second": reference_rate / 1e9,
        "bundle": arguments.bundle + (" (random weights)" if arguments.random_weights else ""),
        "dtype": str(c.placement.dtype).removeprefix("torch."),
        "repeats": arguments.repeats,
        "machine": machine(device),
        "versions": versions(),
    }


def masks_to_label(
    count: int | None, image: RGBImage, contenders: Contenders
) -> tuple[MaskProposal, ...]:
    """``count`` drawn masks, else those our mask generation finds."""
    if count:
        return draw_masks(count, *image.shape[:2])
    settings = contenders.settings.masks
    return contenders.stages.proposer.propose(image, settings, no_progress).proposals


def slopes(arguments: argparse.Namespace, image: RGBImage, contenders: Contenders) -> Figures:
    """How our labelling's time grows."""
    c = contenders
    given = (c.stages, image, c.settings, c.placement.device, arguments.repeats)
    return {
        **slope_figures("masks", slope_over_masks(*given), "mask"),
        **slope_figures("pixels", slope_over_pixels(*given), "megapixel"),
    }


if __name__ == "__main__":
    sys.exit(main())
