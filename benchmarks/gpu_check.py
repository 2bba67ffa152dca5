"""One command for a GPU that is lent for minutes: every figure that is claimed of one, each kept as it comes.

A step that fails leaves its error in place of its figures, and the next goes on. On a CPU the same steps run
at the miniature's size, to see that they do.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.bundle_check import REPEATS, BundleCheck
from benchmarks.compare import mask_agreement, share_equal
from benchmarks.contenders import Contenders, set_up
from benchmarks.drawn_masks import draw_masks
from benchmarks.measure import now
from benchmarks.report import machine, versions
from ssa.config import Settings
from ssa.engine import Engine
from ssa.loading import load_engine
from ssa.types import RGBImage
from ssa.weights import default_root

Step = Callable[[], Mapping[str, Any]]


def gpu_check(arguments: argparse.Namespace, image: RGBImage) -> int:
    """Run every step; ``arguments.gpu_check`` is the folder that gets a JSON file of each. Gives 0."""
    folder: Path = arguments.gpu_check
    folder.mkdir(parents=True, exist_ok=True)
    device = torch.device(arguments.device or "cuda")
    keep(folder, "versions", lambda: {"machine": machine(device), "versions": versions()})
    keep(folder, "miniature", lambda: number_types(image, device))
    bundles = ["tiny"] if device.type == "cpu" else ["base", "light"]
    for name in bundles:
        with tempfile.TemporaryDirectory(prefix="ssa-random-") as written:
            check_bundle(folder, arguments, name, image, Path(written))
    keep(folder, "tests", cuda_tests)
    return 0


def keep(folder: Path, name: str, step: Step) -> None:
    """Do one step and write what came of it, an error too, before the next begins."""
    began = time.perf_counter()
    try:
        found = dict(step())
    except Exception as error:
        found = {"error": f"{type(error).__name__}: {error}", "where": traceback.format_exc()}
    found["step_seconds"] = time.perf_counter() - began
    (folder / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"{name}: {found.get('error', 'done')} ({found['step_seconds']:.1f} s)", flush=True)


def check_bundle(
    folder: Path, arguments: argparse.Namespace, name: str, image: RGBImage, written: Path
) -> None:
    """Every step of one bundle, at the published sizes with random weights (the miniature has its own)."""
    asked = argparse.Namespace(**{**vars(arguments), "bundle": name, "repeats": REPEATS})
    held: list[Contenders] = []

    def load() -> Mapping[str, Any]:
        held.append(set_up(asked, image, None if name == "tiny" else written))
        return held[0].figures | {"batches": str(held[0].settings.batches)}

    keep(folder, f"{name}.setup", load)
    if held:
        work = BundleCheck(held[0], image)
        for step in (work.label, work.amg, work.memory, work.eight, work.busy, work.room):
            keep(folder, f"{name}.{step.__name__}", step)
        if name != "light":
            keep(folder, f"{name}.plain", work.plain)


def number_types(image: RGBImage, device: torch.device) -> Mapping[str, Any]:
    """The miniature in each number type: seconds, and how far it agrees with float32."""
    found: dict[str, Any] = {}
    expected: tuple[list[str], Any] | None = None
    for dtype in ("fp32", "bf16", "fp16"):
        loaded = load_engine(default_root(), "tiny", str(device), dtype)
        labelled, proposed = _both(loaded.engine, loaded.settings, image)
        began = now(device)
        labelled, proposed = _both(loaded.engine, loaded.settings, image)
        found[f"{dtype}_seconds"] = now(device) - began
        records = [
            {"segmentation": {"size": [p.rle.height, p.rle.width], "counts": p.rle.counts}}
            for p in proposed
        ]
        expected = expected or (labelled, records)
        found[f"{dtype}_names_equal"] = share_equal(labelled, expected[0])
        found[f"{dtype}_masks_equal"] = mask_agreement(proposed, expected[1])
    return found


def _both(engine: Engine, settings: Settings, image: RGBImage) -> tuple[list[str], Any]:
    """The names of 60 drawn masks, and the masks that are found."""
    labelled = engine.label(image, draw_masks(60, *image.shape[:2]), settings)
    found = engine.annotate(image, replace(settings, label_mode="none"))
    names = [str(one.class_name) for one in labelled.annotations]
    return names, [one.proposal for one in found.annotations]


def cuda_tests() -> Mapping[str, Any]:
    """The tests that need a CUDA device, by their names; where there is none they are left out."""
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--maxfail=20", "-k", "gpu", "tests/models"],
        env={**os.environ, "OMP_NUM_THREADS": "4"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return {"status": run.returncode, "told": run.stdout[-6000:]}
