"""Options that say which weights speak and where they run, alike in every command that loads some."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ssa.cli.arguments import folder
from ssa.dataset.engine_spec import OWN_SEGMENTORS, EngineSpec
from ssa.weights import default_root, load_manifest
from ssa.weights.places import told


def add_engine_options(group: argparse._ArgumentGroup) -> None:
    """``--bundle``, ``--root``, ``--device``, ``--dtype`` and ``--segmentor``."""
    group.add_argument(
        "--bundle",
        metavar="NAME",
        help=f"the weights: {', '.join(load_manifest().bundles)}; left out, SSA_BUNDLE or the best there is",
    )
    group.add_argument(
        "--root",
        type=folder,
        metavar="DIR",
        help="folder that holds the bundles (default: SSA_WEIGHTS, else the usual one)",
    )
    group.add_argument(
        "--device", help="cpu, cuda, cuda:1; left out, SSA_DEVICE or CUDA where there is one"
    )
    group.add_argument(
        "--dtype",
        choices=["float32", "bfloat16", "float16"],
        help="left out, SSA_DTYPE or bfloat16 on CUDA, else float32",
    )
    group.add_argument(
        "--segmentor",
        metavar="FOLDER",
        help="closed-set: coco, ade20k, or the folder of any segmentor that transformers loads",
    )


def added_segmentor(options: argparse.Namespace) -> Path | None:
    """The folder of a segmentor that the bundle doesn't have, if one was named."""
    named = options.segmentor
    return None if named is None or named in OWN_SEGMENTORS else Path(named).expanduser()


def spec_of(options: argparse.Namespace, **rest: Any) -> EngineSpec:
    """Which weights, where, and the settings that they are meant for; nothing is loaded.

    Raises ``WeightsError`` where there are no such weights.
    """
    root = options.root or default_root()
    where = {
        "device": told("SSA_DEVICE", options.device),
        "dtype": told("SSA_DTYPE", options.dtype),
    }
    bundle = told("SSA_BUNDLE", options.bundle)
    return EngineSpec.of(root, bundle, added_segmentor(options), **where, **rest)
