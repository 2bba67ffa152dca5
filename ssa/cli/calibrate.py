"""``ssa calibrate OUT``: from reviewed regions to the probability that a name is right."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from ssa.cli.format_options import add_aliases_option, aliases_in
from ssa.dataset.examples import Examples
from ssa.dataset.output import check_results, opened
from ssa.errors import InputError
from ssa.files import write_whole
from ssa.formats.example import Example
from ssa.labelling.confidence import FILE, Confidence
from ssa.review.amending import Amended
from ssa.score.calibration import area_under_risk_coverage, expected_calibration_error
from ssa.score.fitting import fit_confidence
from ssa.score.sampling import learnt_from
from ssa.types import Annotation

logger = logging.getLogger(__name__)

HELP = (
    "Fit the probability that a name is right to what was reviewed, and keep it beside the results: exports, "
    "the review and `accept` go by it. Needs annotations with --detail."
)

LEAST_TO_CHECK = 30
"""With fewer regions that it wasn't fitted on, nothing is said of how good it is."""


def add_options(command: argparse.ArgumentParser) -> None:
    """The folder."""
    command.add_argument("out", type=Path, metavar="OUT", help="a folder that `annotate` filled")
    add_aliases_option(command, "the aliases that were heeded in the review")


def run(options: argparse.Namespace) -> int:
    """Fit, write ``OUT/confidence.json``, and say how good it is; 1 where annotations couldn't be read."""
    check_results(options.out)
    with opened(options.out) as output:
        output.recover()
        amended = Amended.of(options.out, aliases_in(options))
        examples = Examples(output)
        learnt = list(_pairs(learnt_from(examples, amended)))
        checked = list(_pairs(learnt_from(Examples(output), amended, sampled=True)))
        fitted = _fitted(learnt, len(checked))
        write_whole(options.out / FILE, fitted.dumps())
    print(f"fitted on {fitted.regions:,} reviewed regions: {options.out / FILE}")
    print(_told(fitted, checked))
    print(f"later runs with these weights: `ssa annotate ... --confidence {options.out / FILE}`")
    for fault in examples.faults:
        logger.warning("%s: %s", fault.file, fault.message)
    return 1 if examples.faults else 0


def _fitted(learnt: list[tuple[Annotation, bool]], held_out: int) -> Confidence:
    """What the regions to learn from say. Raises ``InputError`` where they are too few."""
    try:
        return fit_confidence(*_columns(learnt))
    except InputError as error:
        if not held_out:
            raise
        raise InputError(
            f"{error}. {held_out:,} reviewed regions are of the sample of `ssa accept`, which nothing is "
            "learnt from: review some by another queue"
        ) from error


def _pairs(learnt: Iterable[tuple[Example, int, bool]]) -> Iterable[tuple[Annotation, bool]]:
    return ((example.annotations[place], right) for example, place, right in learnt)


def _columns(pairs: list[tuple[Annotation, bool]]) -> tuple[list[Annotation], list[bool]]:
    return [one for one, _ in pairs], [right for _, right in pairs]


def _told(fitted: Confidence, checked: list[tuple[Annotation, bool]]) -> str:
    """How it does on reviewed regions that it hasn't seen."""
    known = [
        (confidence, one.evidence.margin or 0.0, right)
        for one, right in checked
        if (confidence := fitted.of(one)) is not None
    ]
    if len(known) < LEAST_TO_CHECK:
        return (
            f"how good it is can't be told yet: {len(known)} reviewed regions are left to check it on, "
            f"{LEAST_TO_CHECK} would do"
        )
    columns = np.array(known)
    right = columns[:, 2].astype(bool)
    error = expected_calibration_error(columns[:, 0], right)
    risk, before = (area_under_risk_coverage(columns[:, i], right) for i in (0, 1))
    return (
        f"on {len(known):,} others, {right.mean():.0%} of them right: expected calibration error "
        f"{error:.3f}, area under the risk-coverage curve {risk:.3f} (by the margin alone {before:.3f})"
    )
