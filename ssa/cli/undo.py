"""``ssa undo OUT``: takes back what was decided last, be it on the page, by an import or by ``accept``."""

from __future__ import annotations

import argparse
from pathlib import Path

from ssa.dataset.output import check_results
from ssa.review.log import FILE, DecisionLog

HELP = (
    "Take back what was decided last, all of one step: a decision on the page, an import, an `accept`. "
    "Nothing is taken out of the file: undoing is a line, too."
)


def add_options(command: argparse.ArgumentParser) -> None:
    """The folder, and whose."""
    command.add_argument("out", type=Path, metavar="OUT", help="a folder that `annotate` filled")
    command.add_argument(
        "--by",
        metavar="WHO",
        help="what this one decided last: page, accept, or `import FILE`; left out, anybody's",
    )


def run(options: argparse.Namespace) -> int:
    """Undo one step; 1 where there is nothing to undo."""
    check_results(options.out)
    with DecisionLog(options.out / FILE) as log:
        known = {one.number: one for one in log.history.entries}
        said = log.undo(options.by)
        undone = None if said is None or said.undoes is None else known.get(said.undoes)
        if undone is None:
            print("nothing is left to undo")
            return 1
        last = log.history.last(options.by)
    print(f"undone: {len(undone.decisions):,} decisions by {undone.by or 'somebody'}, {undone.at}")
    if last is not None:
        before = f"{len(last.decisions):,} decisions by {last.by or 'somebody'}, {last.at}"
        print(f"once more takes back what was before: {before}")
    return 0
