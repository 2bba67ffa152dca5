"""``ssa COMMAND ...``: the table of commands, and how each of them ends."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module

import shtab

from ssa import __version__
from ssa.cli.workshop import WORKSHOP, run_workshop
from ssa.errors import SSAError

COMMANDS = {
    "predict": "ssa.cli.predict",
    "annotate": "ssa.cli.annotate",
    "export": "ssa.cli.export",
    "import": "ssa.cli.imports",
    "review": "ssa.cli.review",
    "calibrate": "ssa.cli.calibrate",
    "accept": "ssa.cli.accept",
    "undo": "ssa.cli.undo",
    "score": "ssa.cli.score",
    "serve": "ssa.cli.serve",
    "weights": "ssa.cli.weights",
}
"""Every command and the module that it stands in; those of ``WORKSHOP`` come besides."""

WRONG, STOPPED = 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. Whatever was typed, what goes wrong is a line or two, no traceback."""
    typed = list(sys.argv[1:] if arguments is None else arguments)
    command = typed[0] if typed else ""
    try:
        if command in WORKSHOP:
            return run_workshop(command, typed[1:])
        options = parser().parse_args(typed)
        _set_up_log(options)
        status: int = options.run(options)
        return status
    except SSAError as error:
        _say(f"ssa {command}: {error}")
        return WRONG
    except KeyboardInterrupt:
        _say(f"ssa {command}: stopped")
        return STOPPED
    except BrokenPipeError:  # the reader of a pipe has gone; nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def parser() -> argparse.ArgumentParser:
    """All commands with their options; each sets ``run``, which takes the parsed options."""
    top = argparse.ArgumentParser(
        prog="ssa",
        description="Names every region of a picture, with no prompt and no fixed vocabulary.",
        epilog="`ssa COMMAND --help` tells a command's options.",
    )
    top.add_argument("--version", action="version", version=f"ssa {__version__}")
    shtab.add_argument_to(top, "--print-completion", help="print a script of completions for SHELL")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, place in COMMANDS.items():
        module = import_module(place)
        command = commands.add_parser(name, help=module.HELP, description=module.HELP)
        module.add_options(command)
        _add_loudness(command)
        command.set_defaults(run=module.run)
    for name, text in WORKSHOP.items():
        commands.add_parser(name, help=text, add_help=False)
    return top


def _add_loudness(command: argparse.ArgumentParser) -> None:
    loudness = command.add_mutually_exclusive_group()
    loudness.add_argument("-q", "--quiet", action="store_true", help="errors and warnings alone")
    loudness.add_argument("-v", "--verbose", action="store_true", help="every stage as it goes on")


def _set_up_log(options: argparse.Namespace) -> None:
    """Our own log goes to standard error, as loud as was asked; other libraries only warn."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr, force=True)
    loudness = {options.quiet: logging.WARNING, options.verbose: logging.DEBUG}
    logging.getLogger("ssa").setLevel(loudness.get(True, logging.INFO))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
