"""Command line of ``./scripts/benchmark``: the engine beside the published pipeline on one picture."""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import torch
import transformers

from benchmarks.compare import Duel, compare_labelling, compare_masks
from benchmarks.contenders import Contenders, set_up
from benchmarks.dispatches import dispatch_figures
from benchmarks.drawn_masks import draw_masks
from benchmarks.gpu_check import gpu_check
from benchmarks.large_pictures import large_figures
from benchmarks.measure import matrix_rate
from benchmarks.real_sizes import SIZES
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
from ssa.cli.arguments import positive, writable_file
from ssa.models.promptable.amg import no_progress
from ssa.pictures.decoding import decode_image
from ssa.types import MaskProposal, RGBImage
from ssa.weights import choose_bundle, default_root, load_manifest

STREET = Path(__file__).parents[1] / "examples" / "street.png"
MASKS_COUNTED = 100
PARTS = ("label", "amg", "total")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print the table, write the figures."""
    arguments = parse(argv)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    image = decode_image(arguments.image)
    if arguments.gpu_check:
        return gpu_check(arguments, image)
    figures = count(arguments, image) if arguments.dispatches else timed(arguments, image)
    print(table(figures))
    if arguments.json:
        known = {
            key: None if isinstance(value, float) and math.isnan(value) else value
            for key, value in figures.items()
        }
        arguments.json.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    return 0


def timed(arguments: argparse.Namespace, image: RGBImage) -> Figures:
    """The engine beside the published pipeline."""
    with ExitStack() as stack:
        folder: Path | None = None
        if arguments.random_weights:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ssa-random-")))
        return measure(arguments, image, set_up(arguments, image, folder))


def count(arguments: argparse.Namespace, image: RGBImage) -> Figures:
    """What a GPU would be asked to do, counted on this machine."""
    bundle = choose_bundle(default_root(), arguments.bundle)
    settings = bundle.spec.settings
    if arguments.points:
        settings = settings.searching("sam", points_per_side=arguments.points)
    masks = draw_masks(arguments.masks or MASKS_COUNTED, *image.shape[:2])
    return dispatch_figures(bundle, settings, image, masks) | {
        "masks": len(masks),
        "amg.points_per_side": settings.masks["sam"].points_per_side,
        "picture.megapixels": image.shape[0] * image.shape[1] / 1e6,
        "bundle": arguments.bundle,
        "machine": machine(torch.device("cpu")),
        "versions": versions(),
    }


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The arguments, checked."""
    parser = argparse.ArgumentParser(prog="ssa benchmark", description=__doc__)
    parser.add_argument("--bundle", default="tiny", choices=tuple(load_manifest().bundles))
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
    parser.add_argument(
        "--dispatches",
        action="store_true",
        help="count operations and transfers instead, with the batches a GPU gets; no GPU needed",
    )
    parser.add_argument(
        "--gpu-check",
        type=Path,
        metavar="DIR",
        help="every figure that is claimed of a GPU, each written to DIR as it comes",
    )
    parser.add_argument(
        "--slope", action="store_true", help="time over masks and over pixels, large pictures too"
    )
    parser.add_argument("--json", type=writable_file, help="also write the figures to this file")
    arguments = parser.parse_args(argv)
    if arguments.random_weights and arguments.bundle not in SIZES:
        parser.error(f"--random-weights is for --bundle {' or '.join(SIZES)}")
    return arguments


def parts(text: str) -> tuple[str, ...]:
    """Some of ``PARTS``, comma-separated, for argparse; "total" needs the two others."""
    asked = text.split(",")
    if not set(asked) <= set(PARTS):
        raise argparse.ArgumentTypeError(f"expected some of {','.join(PARTS)}; got {text!r}")
    return PARTS if "total" in asked else tuple(asked)


def measure(arguments: argparse.Namespace, image: RGBImage, contenders: Contenders) -> Figures:
    """All that was asked for, as flat figures."""
    c, device = contenders, contenders.placement.device
    our_rate = reference_rate = matrix_rate(device, torch.float32)
    if c.placement.dtype != torch.float32:
        our_rate = matrix_rate(device, c.placement.dtype)
    duels: dict[str, Duel] = {}
    if "amg" in arguments.parts:
        duels["amg"] = compare_masks(
            c.stages.proposers["sam"],
            c.generator,
            image,
            c.settings.masks["sam"],
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
        "amg.points_per_side": c.settings.masks["sam"].points_per_side,
        "amg.pred_iou_thresh": c.settings.masks["sam"].pred_iou_thresh,
        "amg.stability_score_thresh": c.settings.masks["sam"].stability_score_thresh,
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
    settings = contenders.settings.masks["sam"]
    return contenders.stages.proposers["sam"].propose(image, settings, no_progress).proposals


def slopes(arguments: argparse.Namespace, image: RGBImage, contenders: Contenders) -> Figures:
    """How our labelling's time grows, and the whole engine's on large pictures."""
    c = contenders
    given = (c.stages, image, c.settings, c.placement.device, arguments.repeats)
    return {
        **slope_figures("masks", slope_over_masks(*given), "mask"),
        **slope_figures("pixels", slope_over_pixels(*given), "megapixel"),
        **large_figures(*given),
    }


if __name__ == "__main__":
    sys.exit(main())
