"""``python -m ssa.dataset INPUT... --out DIR``: what ``scripts/annotate`` calls."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from tqdm.contrib.logging import logging_redirect_tqdm

from ssa.dataset.bar import Bar
from ssa.dataset.export import Wanted, parse_formats
from ssa.dataset.options import parser
from ssa.dataset.output import opened
from ssa.dataset.protocols import Workers
from ssa.dataset.ray_cluster import Places
from ssa.dataset.ray_workers import RayWorkers
from ssa.dataset.recipe import LocalWorkers, Recipe
from ssa.dataset.run import Summary, Task, run
from ssa.errors import InputError, SSAError
from ssa.formats.categories import Categories
from ssa.inputs import MASK_INPUTS, settings_for
from ssa.labelling.vocabulary import UNKNOWN
from ssa.sources import find_items

INPUTS = (
    *("labels", "parts", "segmentor", "name_clusters", "top_k", "granularity"),
    *("cluster_eps", "cluster_min_samples", "vocabulary", "unknown_below"),
    *MASK_INPUTS,
)
"""What ``ssa.inputs.settings_for`` reads."""

OWN_SEGMENTORS = (Path("coco"), Path("ade20k"))
"""Those that every bundle has."""

STOPPED = 130
"""The exit code of a run that was interrupted, as shells have it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """One run. The exit code is 0 if every file went well, 1 if some did not, 2 if the run could not be."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("ssa").setLevel(logging.INFO)
    try:
        summary = _run(options)
    except SSAError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; run the same command again to go on from here", file=sys.stderr)
        return STOPPED
    print(_told(summary, options.out))
    return 1 if summary.faults else 0


def _run(options: argparse.Namespace) -> Summary:
    recipe = _recipe(options)
    wanted = Wanted(
        parse_formats(options.format),
        Categories.load(options.categories) if options.categories else Categories(),
        _own_labels(recipe),
        options.picture_prefix,
    )
    found = find_items(options.inputs, options.masks, options.out)
    identity = recipe.identity(options.masks)
    task = Task(found, identity, wanted, options.mix, options.moved)
    with opened(options.out) as output, logging_redirect_tqdm():
        return run(output, task, _workers(options, recipe), Bar())


def _own_labels(recipe: Recipe) -> tuple[str, ...]:
    """The vocabulary's, so that they come first among categories."""
    own = recipe.settings.vocabulary
    return () if own is None else (*(one.label for one in own.classes), UNKNOWN)


def _recipe(options: argparse.Namespace) -> Recipe:
    recipe = Recipe.of(
        options.root,
        options.bundle,
        None if options.segmentor in OWN_SEGMENTORS else options.segmentor,
        device=options.device,
        dtype=options.dtype,
        detail=options.detail,
        lanes=options.lanes,
    )
    recipe = replace(recipe, settings=settings_for(recipe.settings, _inputs(options)))
    recipe.check()
    return recipe.placed() if _is_local(options) else recipe


def _is_local(options: argparse.Namespace) -> bool:
    return options.ray is None and options.workers in (None, 1)


def _inputs(options: argparse.Namespace) -> dict[str, Any]:
    """The options that the Cog model has as inputs, by the names that they have there."""
    inputs: dict[str, Any] = dict.fromkeys(INPUTS)
    inputs |= {name: value for name, value in vars(options).items() if name in INPUTS}
    inputs["segmentor"] = options.segmentor and options.segmentor.name
    inputs["mask_source"] = "sam" if options.masks == "given" else options.masks or "sam"
    if options.vocabulary is not None:
        inputs["vocabulary"] = _read_text(options.vocabulary)
    if options.segmentor not in OWN_SEGMENTORS:
        inputs["segmentor"] = None  # a folder's name is in the recipe's settings
    return inputs


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"expected a text file in UTF-8; got {path.name}, which can't be read as one; save it anew"
        ) from error


def _workers(options: argparse.Namespace, recipe: Recipe) -> Workers:
    """Ray's where there are to be several; on a cluster a single one too."""
    if _is_local(options):
        return LocalWorkers(recipe)
    places = Places(options.workers, options.cpus_per_worker, options.gpus_per_worker)
    if places.gpus == 0:
        recipe = replace(recipe, device=recipe.device or "cpu")
    return RayWorkers(recipe, options.ray, places)


def _told(summary: Summary, out: Path) -> str:
    lines = [
        f"{summary.done:,} of {summary.pictures:,} pictures annotated, {summary.new:,} of them now; "
        f"{summary.masks:,} masks; in {out}"
    ]
    if summary.faults:
        lines.append(f"{summary.faults:,} errors: see {out / 'errors.jsonl'}")
    if summary.outdated:
        names = ",".join(summary.outdated)
        lines.append(
            f"pictures came since {names} was written: --format {names} brings it up to date"
        )
    return "\n".join(lines)


def _stop(number: int, frame: FrameType | None) -> None:
    """End at the next batch; asked again, at once: a run may die at any moment."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_DFL)
    print("\nstopping; once more stops at once, and nothing is lost", file=sys.stderr)
    raise KeyboardInterrupt


if __name__ == "__main__":
    for signal_to_stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_to_stop, _stop)
    sys.exit(main())
