"""``ssa import OUT FILE``: corrections that were made in Label Studio, CVAT or another tool."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from ssa.cli.format_options import add_aliases_option, aliases_in
from ssa.dataset.examples import Examples
from ssa.dataset.output import check_results, opened
from ssa.errors import InputError
from ssa.formats.example import picture_name_of
from ssa.review.amending import Amended
from ssa.review.decisions import Decision
from ssa.review.importing import Import, Report, read_corrections
from ssa.review.log import FILE, DecisionLog

logger = logging.getLogger(__name__)

HELP = (
    "Bring in corrections that were made elsewhere: Label Studio's export, CVAT's `COCO 1.0`, any COCO "
    "instances. They become decisions, all of which one `ssa undo` takes back."
)


def add_options(command: argparse.ArgumentParser) -> None:
    """The folder and the file."""
    command.add_argument("out", type=Path, metavar="OUT", help="a folder that `annotate` filled")
    command.add_argument("file", type=Path, metavar="FILE", help="JSON of Label Studio, or COCO's")
    add_aliases_option(command, "the aliases that the file was exported with")
    command.add_argument(
        "--accept",
        action="store_true",
        help="somebody has looked at all of it: accept the regions that came back as they were",
    )
    command.add_argument(
        "--dry-run", action="store_true", help="tell what would be decided, and decide nothing"
    )


def run(options: argparse.Namespace) -> int:
    """Decide what the file says; 1 where pictures were left as they are."""
    check_results(options.out)
    file = read_corrections(_bytes_in(options.file))
    aliases = aliases_in(options)
    with opened(options.out) as output, DecisionLog(options.out / FILE) as log:
        output.recover()
        names = {picture_name_of(one.key, one.file_name): one.key for one in output.ledger.done()}
        corrections = Import(file, names, options.file.name, options.accept)
        examples = Examples(output, keys=corrections.keys)
        decisions = corrections.decisions(examples, Amended(log.history, aliases))
        if decisions and not options.dry_run:
            log.append(decisions, by=f"import {options.file.name}")
    faults = corrections.report.faults + examples.faults
    print(_told(corrections.report, decisions, options.dry_run))
    for fault in faults:
        logger.warning("%s: %s", fault.file, fault.message)
    return 1 if faults else 0


def _bytes_in(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"expected a file of corrections; got {path}: {error.strerror}") from error


def _told(report: Report, decisions: list[Decision], is_dry: bool) -> str:
    would = "would be " if is_dry else ""
    return (
        f"{report.pictures:,} pictures: {report.unchanged:,} regions as they were; {would}"
        f"{report.accepted:,} accepted, "
        f"{report.labels:,} given another label, {report.masks:,} another mask, {report.added:,} added, "
        f"{report.rejected:,} rejected; {len(decisions):,} decisions"
    )
