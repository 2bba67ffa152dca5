"""``ssa annotate INPUT... --out DIR``: whole datasets."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from tqdm.contrib.logging import logging_redirect_tqdm

from ssa.cli.annotate_options import add_options
from ssa.cli.bar import Bar
from ssa.cli.engine_options import spec_of
from ssa.cli.format_options import aliases_in, wanted_of
from ssa.cli.given import text_in
from ssa.dataset.engine_spec import OWN_SEGMENTORS, EngineSpec, LocalWorkers
from ssa.dataset.output import opened
from ssa.dataset.protocols import Workers
from ssa.dataset.ray_cluster import Places
from ssa.dataset.ray_workers import RayWorkers
from ssa.dataset.run import Summary, Task
from ssa.dataset.run import run as run_task
from ssa.errors import Fault
from ssa.inputs import OPTIONS, checked_inputs, settings_for
from ssa.labelling.confidence import Confidence, loads
from ssa.labelling.vocabulary import UNKNOWN
from ssa.sources import Item, MaskOrigin, find_items
from ssa.sources.coco_masks import read_masks, with_coco_masks
from ssa.weights import choose_bundle

logger = logging.getLogger(__name__)

__all__ = ["HELP", "add_options", "run"]

HELP = (
    "Annotate every picture of folders, SA-1B folders and tars, WebDataset shards and lists of files. "
    "A run that was stopped goes on when it is called again."
)

STOPPED = 130
"""The exit code of a run that was interrupted, as shells have it."""


def run(options: argparse.Namespace) -> int:
    """One run. The exit code is 0 if every file went well, 1 if some did not."""
    with politely_stopped():
        try:
            summary, told = _run(options)
        except KeyboardInterrupt:
            print("stopped; run the same command again to go on from here", file=sys.stderr)
            return STOPPED
    print(f"{_told(summary, options.out)}\n{told}")
    return 1 if summary.faults else 0


def _run(options: argparse.Namespace) -> tuple[Summary, str]:
    """What came of it, and whose answers they are."""
    spec = _spec(options)
    told = choose_bundle(spec.root, spec.bundle).spoken
    logger.info("%s", told)
    wanted = wanted_of(options, options.out, _own_labels(spec))
    task = Task(
        _found(options), spec.identity(_origin(options)), wanted, options.mix, options.moved
    )
    with opened(options.out) as output, logging_redirect_tqdm():
        return run_task(output, task, _workers(options, spec), Bar()), told


def _origin(options: argparse.Namespace) -> MaskOrigin:
    """Where masks come from; those of a COCO file are given ones."""
    origin: MaskOrigin = "given" if isinstance(options.masks, Path) else options.masks
    return origin


def _found(options: argparse.Namespace) -> Iterator[Item | Fault]:
    """What is to be annotated; inputs, and a file of masks, are looked at before any work."""
    if not isinstance(options.masks, Path):
        return find_items(options.inputs, options.masks, options.out)
    file = read_masks(options.masks)
    # Masks come from nowhere else, so JSON beside pictures is left alone as where they are found.
    pictures = find_items(options.inputs, "sam", options.out)
    return with_coco_masks(pictures, file, options.out / ".ssa" / "given")


def _own_labels(spec: EngineSpec) -> tuple[str, ...]:
    """The vocabulary's, so that they come first among categories."""
    own = spec.settings.vocabulary
    return () if own is None else (*(one.label for one in own.classes), UNKNOWN)


def _spec(options: argparse.Namespace) -> EngineSpec:
    spec = spec_of(
        options,
        detail=bool(options.detail or options.looks),
        lanes=options.lanes,
        aliases=aliases_in(options),
        confidence=_confidence(options.confidence),
    )
    settings = replace(settings_for(spec.settings, _inputs(options)), looks=options.looks)
    spec = replace(spec, settings=settings)
    spec.check()
    return spec.placed() if _is_local(options) else spec


def _confidence(path: Path | None) -> Confidence | None:
    return None if path is None else loads(text_in(path).encode())


def _is_local(options: argparse.Namespace) -> bool:
    return options.ray is None and options.workers in (None, 1)


def _inputs(options: argparse.Namespace) -> dict[str, Any]:
    """The options that the Cog model has as inputs, by the names that they have there."""
    inputs = {
        name: value
        for name, value in vars(options).items()
        if name in OPTIONS and name != "detail" and value is not None
    }
    origin = _origin(options)
    inputs["mask_source"] = "sam" if origin in (None, "given") else origin
    if options.vocabulary is not None:
        inputs["vocabulary"] = text_in(options.vocabulary)
    if options.segmentor not in OWN_SEGMENTORS:
        inputs.pop("segmentor", None)  # a folder's name is in the spec's settings
    return checked_inputs(inputs, OPTIONS)


def _workers(options: argparse.Namespace, spec: EngineSpec) -> Workers:
    """Ray's where there are to be several; on a cluster a single one too."""
    if _is_local(options):
        return LocalWorkers(spec)
    places = Places(options.workers, options.cpus_per_worker, options.gpus_per_worker)
    if places.gpus == 0:
        spec = replace(spec, device=spec.device or "cpu")
    return RayWorkers(spec, options.ray, places)


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


@contextmanager
def politely_stopped() -> Iterator[None]:
    """SIGINT and SIGTERM end at the next batch; a second one at once, for a run may die at any moment."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {one: signal.signal(one, _stop) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _stop(number: int, frame: FrameType | None) -> None:
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_DFL)
    print("\nstopping; once more stops at once, and nothing is lost", file=sys.stderr)
    raise KeyboardInterrupt
