"""``ssa weights list|download|verify|compose|seal``: the bundles, here, to be had, and of one's own."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ssa.errors import InputError
from ssa.weights import default_root, load_manifest, open_bundle, verify
from ssa.weights.checks import presence_problems
from ssa.weights.compose import compose
from ssa.weights.download import download
from ssa.weights.manifest import OPTIONAL_ROLES, ROLES, SPARED_ROLES
from ssa.weights.seal import seal

HELP = "List, bring, check and put together bundles of weights."


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
    specs = load_manifest(options.root).bundles
    width = max(map(len, specs)) + 2
    for name, spec in specs.items():
        bundle = open_bundle(options.root, name)
        state = "not here" if presence_problems(bundle) else "here"
        lines.append(f"{name:{width}}{state:10}{spec.purpose}")
    return "\n".join([*lines, f"in {options.root}"])


def _download(options: argparse.Namespace) -> str:
    bundle = download(options.bundle, options.root, optional_roles=options.optional_roles)
    return f"{bundle.name} is complete in {bundle.path}: {bundle.purpose}"


def _verify(options: argparse.Namespace) -> str:
    verify(open_bundle(options.root, options.bundle), quick=options.quick)
    return f"{options.bundle} is whole"


def _compose(options: argparse.Namespace) -> str:
    """Put it together, load it once to see that it works, and say what each role takes on the disk."""
    given = {role: getattr(options, role) for role in (*ROLES, *OPTIONAL_ROLES)}
    parts = {role: folder for role, folder in given.items() if folder is not None}
    if not parts and not options.without and not options.settings:
        raise InputError("expected a folder for at least one role, such as --sam DIR; got none")
    from ssa.loading import load_engine  # loads torch
    from ssa.models.weight import bytes_by_role

    in_memory: dict[str, int] = {}

    def check(name: str) -> None:
        loaded = load_engine(options.root, name, "cpu", "float32")
        loaded.engine.check(loaded.settings)
        in_memory.update(bytes_by_role(loaded.stages))

    base = open_bundle(options.root, options.base)
    bundle = compose(
        options.root,
        options.bundle,
        base,
        parts,
        options.without,
        check,
        dict(options.settings),
    )
    sizes: Counter[str] = Counter()
    on_disk: dict[int, int] = {}  # One model in two roles is there once.
    for file in bundle.spec.files:
        sizes[file.role] += file.size or 0
        on_disk[(bundle.path / file.path).stat().st_ino] = file.size or 0
    lines = [
        _cost(role, size, in_memory.get(role), "  own" if role in parts else "")
        for role, size in sizes.items()
    ]
    return "\n".join(
        [
            f"{'':18}{'on the disk':>14}{'in memory, float32':>22}",
            *lines,
            _cost("in all", sum(on_disk.values()), sum(in_memory.values())),
            f"{bundle.name} loads; use it with --bundle {bundle.name}",
        ]
    )


def _cost(what: str, on_disk: int, in_memory: int | None, remark: str = "") -> str:
    counted = "-" if in_memory is None else f"{in_memory / 1e6:,.1f} MB"
    return f"{what:18}{on_disk / 1e6:11,.1f} MB{counted:>22}{remark}"


def _seal(options: argparse.Namespace) -> str:
    return f"sealed {seal(options.bundle, options.root)} files of {options.bundle}"


def add_options(command: argparse.ArgumentParser) -> None:
    """One command each to list, bring, check and seal."""
    commands = command.add_subparsers(required=True, metavar="ACTION")
    specs = load_manifest().bundles
    shipped = [name for name, spec in specs.items() if spec.shipped]
    fetched = [name for name, spec in specs.items() if not spec.shipped and not spec.composed]
    for act, names, text in (
        (_list, [], "which bundles there are, and which of them are here"),
        (_download, fetched, "bring a bundle: resumed, checked, converted to safetensors"),
        (_verify, list(specs), "check sizes and hashes of a bundle"),
        (_seal, shipped, "write sizes and hashes of a shipped bundle into the manifest"),
    ):
        one = commands.add_parser(act.__name__.strip("_"), help=text, description=text)
        if names:
            # Another root may have bundles of its own, which verify knows too.
            choices = None if act is _verify else names
            one.add_argument("bundle", choices=choices, help=" or ".join(names))
        one.add_argument("--root", type=Path, metavar="DIR", help="folder that holds the bundles")
        one.set_defaults(act=act)
        if act is _download:
            _add_optional_roles(
                one, [role for name in fetched for role in specs[name].optional_roles]
            )
        if act is _verify:
            one.add_argument("--quick", action="store_true", help="hash small files only")
    _add_compose(commands)


def _add_compose(commands: Any) -> None:
    text = (
        "put a bundle of your own together: another one with folders of yours in its roles, linked"
    )
    one = commands.add_parser("compose", help=text, description=text)
    one.add_argument("bundle", metavar="NAME", help="what it is to be called, for --bundle")
    one.add_argument(
        "--from", dest="base", metavar="BUNDLE", required=True, help="whose other roles it has"
    )
    one.add_argument("--root", type=Path, metavar="DIR", help="folder that holds the bundles")
    for role in (*ROLES, *OPTIONAL_ROLES):
        flag = f"--{role.replace('_', '-')}"
        one.add_argument(flag, dest=role, type=Path, metavar="DIR", help=f"its {role}")
    one.add_argument(
        "--without",
        metavar="ROLE",
        action="append",
        default=[],
        choices=SPARED_ROLES,
        help=f"do without one of {', '.join(SPARED_ROLES)}",
    )
    one.add_argument(
        "--set",
        dest="settings",
        metavar="SECTION.NAME=VALUE",
        action="append",
        default=[],
        type=_setting,
        help="a setting of its own, such as labels.ranker_looks_once=true",
    )
    one.set_defaults(act=_compose)


def _setting(text: str) -> tuple[str, Any]:
    """A setting's name and its value, which is written as in JSON."""
    name, _, value = text.partition("=")
    try:
        return name.strip(), json.loads(value)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected SECTION.NAME=VALUE, such as labels.dense_side_px=896; got {text!r}"
        ) from None


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
