"""``ssa score OUT``: how good the names and masks of a run are, in figures and on a page."""

from __future__ import annotations

import argparse
import logging
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ssa.cli.arguments import writable_file
from ssa.cli.format_options import add_aliases_option, aliases_in
from ssa.errors import InputError, OutputError
from ssa.files import write_whole

if TYPE_CHECKING:
    from ssa.score.open_miou import Likeness

logger = logging.getLogger(__name__)

HELP = (
    "Tell how good the names and masks of a run are: against what people reviewed of it, or against a truth "
    "in a COCO file, in SA-1B's JSON or in label maps."
)


def add_options(command: argparse.ArgumentParser) -> None:
    """What was found, what is true, and where to write."""
    command.add_argument(
        "found", type=Path, metavar="OUT", help="a folder that `annotate` filled, or COCO instances"
    )
    command.add_argument(
        "--truth",
        type=Path,
        metavar="PATH",
        help="COCO instances or panoptic JSON, a folder of SA-1B's JSON or of label maps, or a reviewed OUT; "
        "default: what was reviewed in OUT itself",
    )
    command.add_argument(
        "--labels",
        metavar="FILE",
        help="names of the label maps' ids from 1 on: a line each, a JSON list, or `ade20k` or `coco`; "
        "default: labels.txt or labels.json in their folder",
    )
    command.add_argument(
        "--against", type=Path, metavar="B", help="another run, held against the same truth"
    )
    command.add_argument(
        "--sentences",
        type=Path,
        metavar="FOLDER",
        help="a sentence encoder in a folder (such as all-MiniLM-L6-v2): open mIoU with its similarity too",
    )
    command.add_argument(
        "--json", type=writable_file, metavar="FILE", help="write all figures as JSON"
    )
    command.add_argument(
        "--report",
        type=writable_file,
        metavar="FILE",
        help="write a page of HTML with the worst regions",
    )
    add_aliases_option(command, "the aliases that were heeded in the review")


def run(options: argparse.Namespace) -> int:
    """Tell the figures, and write what was asked for; 1 where pictures had to be left out."""
    if options.labels is not None and options.truth is None:
        raise InputError(
            "--labels names the classes of label maps; got it without --truth; name both"
        )
    # Scores take libraries that no other command needs.
    from ssa.cli.score_inputs import paired
    from ssa.score.comparing import compare
    from ssa.score.figures import score_of
    from ssa.score.page import Compared, page_of
    from ssa.score.saying import About, to_json
    from ssa.score.tally import tally_of
    from ssa.score.text import text_of

    likeness = None if options.sentences is None else _likeness(options.sentences)
    with ExitStack() as folders:
        inputs = paired(options, aliases_in(options), folders)
        tally = tally_of(inputs.pairs)
        score, other = score_of(tally, likeness), None
        if inputs.others is not None:
            second = tally_of(inputs.others)
            other = Compared(
                options.against.name, score_of(second, likeness), compare(tally, second)
            )
    faults = inputs.faults()
    for fault in faults:
        logger.warning("%s: %s", fault.file, fault.message)
    if not tally.keys:
        raise InputError(
            "expected a picture that was found and has a truth; got none: review some regions, or check "
            "--truth and the names of its pictures"
        )
    about = About(options.found.name, inputs.kind, *inputs.left(), len(faults))
    both = (None, None) if other is None else (other.score, other.comparison)
    print("\n".join((text_of(score, *both), *about.lines)))
    if options.json is not None:
        _write(options.json, to_json(about, score, *both))
    if options.report is not None:
        page = page_of(options.found.name, about.lines, score, tally.worst.cases, other)
        _write(options.report, page.encode("utf-8", "replace"))
    return 1 if faults else 0


def _write(path: Path, data: bytes) -> None:
    try:
        write_whole(path, data)
    except OSError as error:
        raise OutputError(f"can't write {path}: {error.strerror}; name another file") from error


def _likeness(folder: Path) -> Likeness:
    from ssa.models.sentence_encoder import load_sentence_encoder

    return load_sentence_encoder(folder).likeness
