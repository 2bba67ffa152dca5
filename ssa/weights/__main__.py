"""``python -m ssa.weights download|verify|seal BUNDLE``: what ``scripts/download_weights`` calls."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from ssa.errors import SSAError
from ssa.weights import default_root, load_manifest, open_bundle, verify
from ssa.weights.download import download
from ssa.weights.manifest import OPTIONAL_ROLES
from ssa.weights.seal import seal


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 1 when it failed, with one line or a few on why."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    try:
        print(options.run(options))
    except SSAError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; run the same command again to go on from here", file=sys.stderr)
        return 130
    return 0


def _download(options: argparse.Namespace) -> str:
    bundle = download(options.bundle, options.root, optional_roles=options.optional_roles)
    return f"{bundle.name} is complete in {bundle.path}: {bundle.purpose}"


def _verify(options: argparse.Namespace) -> str:
    verify(open_bundle(options.root, options.bundle), quick=options.quick)
    return f"{options.bundle} is whole"


def _seal(options: argparse.Namespace) -> str:
    return f"sealed {seal(options.bundle, options.root)} files of {options.bundle}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ssa.weights", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    specs = load_manifest().bundles
    fetched = [name for name, spec in specs.items() if not spec.shipped]
    shipped = [name for name in specs if name not in fetched]
    for run, names, text in (
        (_download, fetched, "bring a bundle: resumed, checked, converted to safetensors"),
        (_verify, list(specs), "check sizes and hashes of a bundle"),
        (_seal, shipped, "write sizes and hashes of a shipped bundle into the manifest"),
    ):
        command = commands.add_parser(run.__name__.strip("_"), help=text, description=text)
        command.add_argument("bundle", choices=names, help=" or ".join(names))
        command.add_argument(
            "--root", type=Path, default=default_root(), help="folder that holds the bundles"
        )
        command.set_defaults(run=run)
        if run is _download:
            command.add_argument(
                "--with",
                dest="optional_roles",
                metavar="ROLE",
                action="append",
                default=[],
                type=lambda role: role.replace("-", "_"),
                choices=OPTIONAL_ROLES,
                help=f"also an optional role: {', '.join(OPTIONAL_ROLES).replace('_', '-')}",
            )
        if run is _verify:
            command.add_argument("--quick", action="store_true", help="hash small files only")
    return parser


if __name__ == "__main__":
    sys.exit(main())
