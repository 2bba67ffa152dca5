"""``ssa review OUT``: a page on which the doubtful regions are corrected by keyboard."""

from __future__ import annotations

import argparse
import atexit
import logging
import os
import tempfile
import webbrowser
from importlib.util import find_spec
from pathlib import Path

from ssa.cli.format_options import add_aliases_option, aliases_in
from ssa.dataset.reading import results_in
from ssa.errors import InputError
from ssa.review.log import FILE, DecisionLog

logger = logging.getLogger(__name__)

HELP = (
    "Open a page that shows the regions of annotated pictures, doubtful ones first, and takes decisions by "
    "keyboard. `ssa export` has them at once."
)

_LIBRARIES = ("starlette", "uvicorn")


def add_options(command: argparse.ArgumentParser) -> None:
    """The folder, and where the page is."""
    command.add_argument("out", type=Path, metavar="OUT", help="a folder that `annotate` filled")
    command.add_argument(
        "--port", type=int, default=0, metavar="N", help="of 127.0.0.1; a free one unless given"
    )
    command.add_argument(
        "--no-browser", action="store_true", help="print the page's address and open nothing"
    )
    add_aliases_option(command, "labels to merge or rename, as `ssa export` is to be given them")


def run(options: argparse.Namespace) -> int:
    """Serve the page until it is stopped."""
    if any(find_spec(name) is None for name in _LIBRARIES):
        raise InputError(
            "`ssa review` needs starlette and uvicorn, which are not installed; run "
            "`uv sync --extra review` or `pip install starlette uvicorn`"
        )
    from ssa.review.web.answers import Answers
    from ssa.review.web.desk import Desk
    from ssa.review.web.server import server_of

    if not 0 <= options.port < 65_536:
        raise InputError(f"expected a --port from 0 to 65535; got {options.port}")
    aliases = aliases_in(options)
    results = results_in(options.out)
    with DecisionLog(options.out / FILE) as log:
        desk = Desk(results, log, aliases)
        if desk.unreadable:
            logger.warning("%d pictures' annotations can't be read", desk.unreadable)
        logger.info("%d pictures; press Ctrl-C to stop", len(results.pictures))
        server = server_of(Answers(desk, results), options.port)
        print(server.url, flush=True)
        if not options.no_browser:
            webbrowser.open(_leading_to(server.url).as_uri())
        server.run()
    return 0


def _leading_to(url: str) -> Path:
    """A file that this user alone can read, and which leads on: others could read a browser's arguments."""
    handle, name = tempfile.mkstemp(prefix="ssa-review-", suffix=".html")
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f'<!doctype html><meta http-equiv="refresh" content="0; url={url}">\n')
    atexit.register(Path(name).unlink, missing_ok=True)
    return Path(name)
