"""``ssa accept OUT --error 5%``: accepts the names that are right with a probability that is asked for."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from pathlib import Path

from ssa.cli.arguments import positive, share
from ssa.cli.format_options import add_aliases_option, aliases_in
from ssa.dataset.examples import Examples
from ssa.dataset.output import OutputFolder, check_results, opened
from ssa.errors import InputError
from ssa.review.amending import Amended
from ssa.review.decisions import BY_ACCEPT, Accepted, Decision
from ssa.review.log import FILE, DecisionLog
from ssa.score.guarantee import Acceptance, Promise, acceptance
from ssa.score.sampling import Census, census

logger = logging.getLogger(__name__)

HELP = (
    "Accept all names whose confidence is high enough for a promise: that at most so many are wrong. The "
    "promise rests on a random sample, which --sample names, and which `ssa review` has as a queue."
)


def add_options(command: argparse.ArgumentParser) -> None:
    """The folder, and what is promised."""
    command.add_argument("out", type=Path, metavar="OUT", help="a folder that `annotate` filled")
    command.add_argument(
        "--error", type=share, required=True, metavar="SHARE", help="how many may be wrong: 5%%"
    )
    command.add_argument(
        "--certainty", type=share, default=0.95, metavar="SHARE", help="of that (default: 95%%)"
    )
    add_aliases_option(command, "the aliases that were heeded in the review")
    command.add_argument(
        "--dry-run", action="store_true", help="tell what would be accepted, and accept nothing"
    )
    command.add_argument(
        "--sample",
        type=positive,
        metavar="N",
        help="only name the next N regions to review for it: a picture's key and a region's id a line",
    )


def run(options: argparse.Namespace) -> int:
    """Accept what can be, in one entry that one undo takes back.

    1 where nothing can be, or where annotations couldn't be read.
    """
    check_results(options.out)
    promise = Promise(options.error, options.certainty)
    with opened(options.out) as output, DecisionLog(options.out / FILE) as log:
        output.recover()
        amended, examples = Amended(log.history, aliases_in(options)), Examples(output)
        counted = census(examples, amended)
        for fault in examples.faults:
            logger.warning("%s: %s", fault.file, fault.message)
        _check(counted)
        if options.sample:
            print("\n".join(_sample(output, counted, options.sample)))
            return 1 if examples.faults else 0
        found = acceptance(counted.population, promise)
        decisions = list(_decisions(output, amended, counted, found))
        if decisions and not options.dry_run:
            log.append(decisions, by=BY_ACCEPT)
    print(_told(counted, promise, found, len(decisions), options.dry_run))
    return 0 if len(found.positions) and not examples.faults else 1


def _check(counted: Census) -> None:
    if not len(counted.population.confidences):
        raise InputError(
            "expected names with a confidence; got none; review some regions and run "
            "`ssa calibrate OUT` first"
        )


def _sample(output: OutputFolder, counted: Census, count: int) -> Iterator[str]:
    asked = counted.population.to_review(count)
    pictures = [counted.pictures[counted.picture_of[one]] for one in asked]
    ids = {
        example.key: [mark.region for _, mark in example.marked]
        for example in Examples(output, keys=set(pictures))
    }
    for key, position in zip(pictures, asked, strict=True):
        yield f"{key}\t{ids[key][counted.place_of[position]]}"


def _decisions(
    output: OutputFolder, amended: Amended, counted: Census, found: Acceptance
) -> Iterator[Decision]:
    """One for each region that nobody has decided on."""
    places = counted.places(found.positions)
    for example in Examples(output, keys=places.keys()):
        chosen = set(places[example.key])
        for region in amended.now(example).regions:
            if region.position in chosen and region.reviewed == "none":
                yield Accepted(region.ref(example.key), region.label)


def _told(counted: Census, promise: Promise, found: Acceptance, accepted: int, is_dry: bool) -> str:
    lines = _accepted(counted, promise, found, accepted, is_dry)
    if found.more:
        lines.append(
            f"about {found.more:,} more reviews would let it accept some {found.then:.0%} of all, if errors "
            "go on as they are: `--sample N` names them"
        )
    elif not len(found.positions):
        lines.append(_why_not(counted, promise))
    if counted.untold:
        lines.append(f"{counted.untold:,} names have no confidence and were left as they are")
    return "\n".join(lines)


def _accepted(
    counted: Census, promise: Promise, found: Acceptance, accepted: int, is_dry: bool
) -> list[str]:
    population, total = counted.population, len(counted.population.confidences)
    if not len(found.positions):
        return [
            f"nothing can be accepted yet: of the sample of {total:,} names, {population.rounds():,} of "
            f"each of {len(population.strata())} strata were reviewed"
        ]
    would = "would be " if is_dry else ""
    return [
        f"{accepted:,} names {would}accepted: with those that were reviewed {len(found.positions):,} of "
        f"{total:,}, of a confidence of {found.threshold:.3f} and more",
        f"of these at most {_percent(promise.error)} are wrong, with {_percent(promise.certainty)} "
        f"certainty: {found.wrong:,} of {found.sampled:,} in the sample are (upper bound {found.bound:.1%})",
    ]


def _why_not(counted: Census, promise: Promise) -> str:
    """Why more reviews are no way out."""
    sample = counted.population.sample()
    if sum(map(len, sample)) < promise.least_sample:
        return (
            f"there are too few names for such a promise: it takes {promise.least_sample:,} reviews of a "
            f"sample, even if all are right, and there are {sum(map(len, sample)):,} in it; ask for less"
        )
    if counted.population.rounds() == min(map(len, sample)):
        return "all of the sample was reviewed, and it allows no such promise; ask for less"
    return "more reviews are unlikely to change that: of the surest names too many are wrong"


def _percent(share: float) -> str:
    return f"{100 * share:g}%"
