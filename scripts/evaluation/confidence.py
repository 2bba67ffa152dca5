"""Scores the probability that a name is right, and what it promises, on drawn scenes that were never seen.

Beside it stands what there was before: CLIPSeg's margin, as a way to order names. Acceptance is tried in many
draws of the sample, each reviewed by the truth; a promise that is broken is one whose accepted names are
wrong more often than was allowed.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.options import add_engine_options, load, write_figures
from ssa.cli.arguments import positive
from ssa.cli.bar import counted
from ssa.config import MASK_SOURCES
from ssa.errors import InputError
from ssa.score.calibration import area_under_risk_coverage, expected_calibration_error
from ssa.score.guarantee import RIGHT, UNSEEN, WRONG, Population, Promise, acceptance
from toyworld.truth import are_right
from toyworld.unseen import scene_seed, scenes

DRAWS, REVIEWED, PROMISE = 200, 300, Promise(0.05)


def add_command(commands: Any) -> None:
    """Add ``confidence`` to the command line (argparse's subparsers)."""
    command = commands.add_parser("confidence", help="how likely names are right, on drawn scenes")
    command.add_argument("--scenes", type=positive, default=300)
    command.add_argument("--seed", type=scene_seed, default=0)
    command.add_argument("--masks", choices=list(MASK_SOURCES), default="sam")
    add_engine_options(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate."""
    loaded = load(arguments)
    settings = replace(loaded.settings, mask_source=arguments.masks)
    confidences, margins, right = list[float](), list[float](), list[bool]()
    bar = counted(scenes(arguments.scenes, arguments.seed), arguments.scenes, "scenes")
    for scene, _ in bar:
        annotated = loaded.engine.annotate(scene.image, settings)
        right += are_right(scene, annotated)
        for one in annotated.annotations:
            if one.confidence is None:
                raise InputError(
                    f"expected a bundle that says how likely names are right; {loaded.bundle.name} doesn't"
                )
            confidences.append(one.confidence)
            margins.append(one.evidence.margin or 0.0)
    figures = report(np.array(confidences), np.array(margins), np.array(right))
    for name, value in figures.items():
        print(f"{name:28s} {value:.4f}")
    write_figures(arguments.json, figures)
    return 0


def report(
    confidences: NDArray[np.float64], margins: NDArray[np.float64], right: NDArray[np.bool_]
) -> dict[str, float]:
    """The figures by their JSON keys, of N names each."""
    by_confidence = area_under_risk_coverage(confidences, right)
    by_margin = area_under_risk_coverage(margins, right)
    return {
        "names": float(len(right)),
        "right": float(right.mean()),
        "confidence.ece": expected_calibration_error(confidences, right),
        "confidence.aurc": by_confidence,
        "margin.aurc": by_margin,
        "confidence.aurc_of_margins": by_confidence / by_margin,
        **accepted(confidences, right),
    }


def accepted(confidences: NDArray[np.float64], right: NDArray[np.bool_]) -> dict[str, float]:
    """How often ``PROMISE`` was broken in ``DRAWS`` draws, and what share was accepted on average."""
    broken, shares, count = 0, list[float](), len(right)
    for draw in range(DRAWS):
        rng = np.random.default_rng(draw)
        ranks = rng.integers(0, 1 << 63, count, dtype=np.uint64)
        verdicts = np.full(count, UNSEEN, np.int8)
        population = Population(confidences, ranks, verdicts)
        asked = population.to_review(REVIEWED)
        verdicts[asked] = np.where(right[asked], RIGHT, WRONG)
        found = acceptance(population, PROMISE).positions
        broken += len(found) > 0 and float((~right[found]).mean()) > PROMISE.error
        shares.append(len(found) / count)
    return {
        "accept.draws": float(DRAWS),
        "accept.reviewed": float(REVIEWED),
        "accept.broken": broken / DRAWS,
        "accept.share": float(np.mean(shares)),
    }
