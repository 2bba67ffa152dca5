"""Command line of ``./scripts/evaluate``: one subcommand a module."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from evaluation import closed_set, clusters, confidence, toy, vocabulary
from ssa.errors import SSAError

SUBCOMMANDS = (toy, clusters, closed_set, vocabulary, confidence)


def parser() -> argparse.ArgumentParser:
    """All subcommands; each sets ``run``, which takes the parsed arguments and gives the exit status."""
    parser = argparse.ArgumentParser(
        prog="ssa evaluate", description="Measures against known truth."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for module in SUBCOMMANDS:
        module.add_command(commands)
    return parser


def main(typed: Sequence[str] | None = None) -> int:
    """Evaluate as the command line says; an error of ours is one line."""
    arguments = parser().parse_args(typed)
    try:
        status: int = arguments.run(arguments)
    except SSAError as error:
        print(f"evaluate: {error}", file=sys.stderr)
        return 2
    return status


if __name__ == "__main__":
    sys.exit(main())
