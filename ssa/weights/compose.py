"""Bundles of one's own: any folders in the place of another bundle's roles, linked and not copied.

A composed bundle is a folder like the others, with ``bundle.json`` in it: what it is made of, file by file
with sizes and hashes, so that it is verified like the others too.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ssa.errors import WeightsError
from ssa.files import link_whole, write_whole
from ssa.weights.bundle import Bundle
from ssa.weights.checks import presence_problems
from ssa.weights.files import sha256_of
from ssa.weights.manifest import (
    COMPOSED_NAME,
    OPTIONAL_ROLES,
    ROLES,
    SPARED_ROLES,
    load_manifest,
    manifest_path,
)
from ssa.weights.manifest_format import format_manifest
from ssa.weights.settings import bundle_settings
from ssa.weights.stamps import forget_stamps


def compose(
    root: Path,
    name: str,
    base: Bundle,
    parts: Mapping[str, Path],
    without: Sequence[str] = (),
    check: Callable[[str], object] = lambda name: None,
    settings: Mapping[str, Any] | None = None,
) -> Bundle:
    """Make the bundle ``root/name``: ``base`` with the folders ``parts`` in the place of its roles.

    It lacks the roles ``without``, of those that it may. Settings are the base's, but for those given, each
    by its section and name as in "labels.dense_side_px". ``check`` gets the name of
    the new bundle before it stands in the place of one that was composed under this name before; if it
    raises, that one stays. Raises ``WeightsError`` for a name that is none or taken, a role or a folder that
    there isn't, a role that can't be spared, a setting that there isn't, and a base that isn't whole.
    """
    _check(root, name, base, parts, without)
    own_settings = _settings(base, settings or {})
    folder = root / name
    roles = {role: parts.get(role) or base.folder(role) for role in _roles(base, parts, without)}
    # No name that a bundle may have: nobody takes it for one.
    fresh = root / f"{name}.composing"
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        described = {
            "purpose": _purpose(base, parts, without),
            "settings": own_settings,
            "models": _models(base, parts, roles),
            "roles": {role: _linked(source, fresh / role) for role, source in roles.items()},
        }
        write_whole(fresh / COMPOSED_NAME, (format_manifest(described) + "\n").encode())
        check(fresh.name)
        if folder.exists():
            shutil.rmtree(folder)
        fresh.rename(folder)
    except OSError as error:
        raise WeightsError(f"{name} can't be composed: {error.strerror or error}") from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        forget_stamps(root, fresh.name)
    return Bundle(root, load_manifest(root).bundle(name))


def _purpose(base: Bundle, parts: Mapping[str, Path], without: Sequence[str]) -> str:
    own = f" with {', '.join(parts)} of one's own" if parts else ""
    return base.name + own + (f" without {', '.join(without)}" if without else "")


def _roles(base: Bundle, parts: Mapping[str, Path], without: Sequence[str]) -> list[str]:
    # How likely a base's names are right says nothing of other models' names.
    there = (role for role in (*ROLES, *OPTIONAL_ROLES) if base.has(role) and role != "confidence")
    return [role for role in dict.fromkeys((*there, *parts)) if role not in without]


def _check(
    root: Path, name: str, base: Bundle, parts: Mapping[str, Path], without: Sequence[str]
) -> None:
    if not name.isidentifier() and not name.replace("-", "_").isidentifier():
        raise WeightsError(f"expected a name of letters, digits, - and _; got {name!r}")
    known = load_manifest(root).bundles.get(name)
    taken = known is not None and not known.composed
    if taken or (known is None and (root / name).exists()):
        raise WeightsError(f"{name} is the name of something else there; take another")
    if problems := presence_problems(base):
        raise WeightsError(f"{base.name} isn't whole: {problems[0]}; {base.remedy}")
    for role in without:
        if role in parts or role not in (*SPARED_ROLES, *OPTIONAL_ROLES):
            raise WeightsError(
                f"expected to go without {', '.join(SPARED_ROLES)}, none of them given; got {role}"
            )
    for role, folder in parts.items():
        if role not in (*ROLES, *OPTIONAL_ROLES):
            raise WeightsError(
                f"no role is called {role!r}: use {', '.join((*ROLES, *OPTIONAL_ROLES))}"
            )
        if not folder.is_dir() or not any(path.is_file() for path in folder.rglob("*")):
            raise WeightsError(f"{role}: expected a folder with weights; got {folder.name}")


def _models(base: Bundle, parts: Mapping[str, Path], roles: Iterable[str]) -> dict[str, str]:
    """What the models in the roles are called, where that is known."""
    names = base.models() | {role: _called(folder.resolve()) for role, folder in parts.items()}
    return {role: names[role] for role in roles if role in names}


def _called(folder: Path) -> str:
    """What a folder's model is called: as the folder, or in a hub's cache as the repository."""
    if folder.parent.name == "snapshots":
        return folder.parent.parent.name.removeprefix("models--").replace("--", "/")
    return folder.name


def _linked(source: Path, folder: Path) -> list[dict[str, Any]]:
    """Link a role's files; what the bundle says of each."""
    found = []
    for path in sorted(source.rglob("*")):
        inside = path.relative_to(source)
        if path.is_file() and not any(part.startswith(".") for part in inside.parts):
            link_whole(folder / inside, path.resolve())
            size, digest = path.stat().st_size, sha256_of(path)
            found.append({"path": inside.as_posix(), "size": size, "sha256": digest})
    return found


def _settings(base: Bundle, given: Mapping[str, Any]) -> Any:
    """The base's settings as they are written down, with the given ones in their places."""
    settings = _written(base)
    for name, value in given.items():
        *sections, own = name.split(".")
        place = settings
        for section in sections:
            place = place.setdefault(section, {})
            if not isinstance(place, dict):
                break
        else:
            place[own] = value
    try:
        bundle_settings(settings)
    except (ValueError, AttributeError, TypeError) as error:
        raise WeightsError(f"expected settings such as labels.dense_side_px: {error}") from None
    return settings


def _written(base: Bundle) -> Any:
    own = base.path / COMPOSED_NAME
    if own.is_file():
        return json.loads(own.read_text(encoding="utf-8")).get("settings", {})
    raw = json.loads(manifest_path(base.root).read_text(encoding="utf-8"))
    return raw["bundles"][base.name].get("settings", {})
