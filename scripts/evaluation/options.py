"""What the subcommands share: which bundle to load and where, and where figures go."""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path

from ssa.cli.arguments import writable_file
from ssa.device import DTYPES
from ssa.loading import LoadedEngine, load_engine
from ssa.weights import default_root


def add_engine_options(command: argparse.ArgumentParser) -> None:
    """The options by which a bundle is chosen and placed, and ``--json``."""
    command.add_argument("--json", type=writable_file, help="also write the figures to this file")
    command.add_argument("--bundle", default=os.environ.get("SSA_BUNDLE") or "tiny")
    command.add_argument("--device", help="cpu, cuda or cuda:1; by default CUDA if there is one")
    command.add_argument(
        "--dtype", choices=DTYPES, help="by default bfloat16 on CUDA, else float32"
    )


def load(arguments: argparse.Namespace) -> LoadedEngine:
    """The engine that the options ask for, and a line or two on what and where it is."""
    segmentor: Path | None = getattr(arguments, "segmentor", None)
    loaded = load_engine(
        default_root(), arguments.bundle, arguments.device, arguments.dtype, segmentor
    )
    print(f"bundle {loaded.bundle.name}: {loaded.bundle.purpose}")
    print(f"on {loaded.placement.device} in {loaded.placement.dtype}")
    return loaded


def write_figures(path: Path | None, figures: Mapping[str, float]) -> None:
    """Write the figures as JSON, null for what is unknown (NaN); without a path, nothing."""
    if path:
        known = {key: None if math.isnan(value) else value for key, value in figures.items()}
        path.write_text(json.dumps(known, indent=1) + "\n")
