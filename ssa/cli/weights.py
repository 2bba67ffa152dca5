"""``ssa weights list|download|verify|seal``: the bundles, here and to be had."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from ssa.weights import default_root, load_manifest, open_bundle, verify
from ssa.weights.checks import presence_problems
from ssa.weights.download import download
from ssa.weights.seal import seal

HELP = "List, bring and check bundles of weights."


def run(options: argparse.Namespace) -> int:
    """Run one of them; what went wrong is raised."""
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    options.root = options.root or default_root()
    try:
        print(options.act(options))
    except KeyboardInterrupt:
        print("stopped; run the same command again to go on from here", file=sys.stderr)
        return 130
    return 0


def _list(options: argparse.Namespace) -> str:
    """One line a bundle: its name, whether it is there, what it is for."""
    lines = []
    for name, spec in load_manifest(options.root).bundles.items():
        bundle = open_bundle(options.root, name)
        state = "not here" if presence_problems(bundle) else "here"
        lines.append(f"{name:8}{state:10}{spec.purpose}")
    return "\n".join([*lines, f"in {options.root}"])


def _download(options: argparse.Namespace) -> str:
    bundle = download(options.bundle, options.root, optional_roles=options.optional_roles)
    return f"{bundle.name} is complete in {bundle.path}: {bundle.purpose}"


def _verify(options: argparse.Namespace) -> str:
    verify(open_bundle(options.root, options.bundle), quick=options.quick)
    return f"{options.bundle} is whole"


def _seal(options: argparse.Namespace) -> str:
    return f"sealed {seal(options.bundle, options.root)} files of {options.bundle}"


def add_options(command: argparse.ArgumentParser) -> None:
    """One command each to list, bring, check and seal."""
    commands = command.add_subparsers(required=True, metavar="ACTION")
    specs = load_manifest().bundles
    fetched = [name for name, spec in specs.items() if not spec.shipped]
    shipped = [name for name in specs if name not in fetched]
    for act, names, text in (
        (_list, [], "which bundles there are, and which of them are here"),
        (_download, fetched, "bring a bundle: resumed, checked, converted to safetensors"),
        (_verify, list(specs), "check sizes and hashes of a bundle"),
        (_seal, shipped, "write sizes and hashes of a shipped bundle into the manifest"),
    ):
        one = commands.add_parser(act.__name__.strip("_"), help=text, description=text)
        if names:
            one.add_argument("bundle", choices=names, help=" or ".join(names))
        one.add_argument("--root", type=Path, metavar="DIR", help="folder that holds the bundles")
        one.set_defaults(act=act)
        if act is _download:
            _add_optional_roles(
                one, [role for name in fetched for role in specs[name].optional_roles]
            )
        if act is _verify:
            one.add_argument("--quick", action="store_true", help="hash small files only")


def _add_optional_roles(one: argparse.ArgumentParser, offered: Sequence[str]) -> None:
    roles = list(dict.fromkeys(offered))
    one.add_argument(
        "--with",
        dest="optional_roles",
        metavar="ROLE",
        action="append",
        default=[],
        type=lambda role: role.replace("-", "_"),
        choices=roles,
        help=f"also an optional role: {', '.join(roles).replace('_', '-')}",
    )
