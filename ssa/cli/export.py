"""``ssa export OUT --format ...``: results as people left them, in the formats that tools read."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from ssa.cli.format_options import add_format_options, wanted_of
from ssa.dataset.examples import Examples
from ssa.dataset.export import Wanted, check_numbers, export
from ssa.dataset.output import OutputFolder, check_results, opened
from ssa.errors import InputError
from ssa.files import write_whole
from ssa.formats.table import SA1B
from ssa.review.amending import Amended

logger = logging.getLogger(__name__)

HELP = (
    "Write formats of annotated pictures, with what was decided about their regions. `annotations/` itself "
    "is never changed."
)

RENAMES = "renames.txt"
"""Where the renames go that were decided, for later runs: ``--aliases OUT/renames.txt``."""

_OURS = "# Renames that were decided in a review; `ssa export` makes this file anew.\n"


def add_options(command: argparse.ArgumentParser) -> None:
    """The folder, and what to write."""
    command.add_argument("out", type=Path, metavar="OUT", help="a folder that `annotate` filled")
    add_format_options(command, default=None)


def run(options: argparse.Namespace) -> int:
    """Write each format that isn't up to date; 1 where something had to be left out."""
    check_results(options.out)
    wanted = wanted_of(options, options.out)
    if SA1B in wanted.formats:
        raise InputError(
            "--format sa1b is `annotations/`, which stays as it was found; "
            "`--format reviewed` is the same with what was decided"
        )
    with opened(options.out) as output:
        output.recover()
        check_numbers(output, wanted)
        faults = export(output, wanted, lambda name: logger.info("writing %s", name))
        output.write_faults(faults)
        doubtful = _doubtful(output, wanted)
    _write_renames(options.out)
    print(f"{', '.join(wanted.formats)} in {options.out} up to date")
    if doubtful:
        print(doubtful)
    if wanted.amendments.stale:
        print(f"{wanted.amendments.stale:,} decisions speak of regions that are no longer there")
    if faults:
        print(f"{len(faults):,} errors: see {options.out / 'errors.jsonl'}")
    return 1 if faults else 0


def _write_renames(out: Path) -> None:
    text, path = Amended.of(out).aliases.text, out / RENAMES
    if path.exists() and not path.read_bytes().startswith(_OURS.encode()):
        return  # somebody's own
    if text:
        write_whole(path, (_OURS + text).encode())
    else:
        path.unlink(missing_ok=True)


def _doubtful(output: OutputFolder, wanted: Wanted) -> str:
    """How many names were too doubtful for formats to train with; "" where that wasn't asked for."""
    least = wanted.options.least_confidence
    if least is None:
        return ""
    total = kept = 0
    for example in Examples(output, wanted.amendments):
        alive = example.without_rejected()
        total += len(alive.annotations)
        kept += len(alive.without_doubtful(least).annotations)
    return (
        f"{total - kept:,} of {total:,} names are less sure than {least:g}, or not known to be, and were "
        "left out of formats to train with"
    )
