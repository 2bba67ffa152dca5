"""A bundle on disk: its name, its folder, and where each role lives in it."""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass
from pathlib import Path

from ssa.config import MASK_SOURCES
from ssa.errors import WeightsError
from ssa.weights.lock import read_lock
from ssa.weights.manifest import (
    OPTIONAL_ROLES,
    ROLES,
    BundleSpec,
    WeightFile,
    load_manifest,
    manifest_path,
)
from ssa.weights.places import INSTALLED, download_command


@dataclass(frozen=True, slots=True)
class Bundle:
    """One complete set of weights under ``root``; that it is complete is for ``verify`` to say."""

    root: Path
    spec: BundleSpec

    @property
    def name(self) -> str:
        """As the manifest has it, or whoever put it together: ``"base"``, ``"tiny"``."""
        return self.spec.name

    @property
    def purpose(self) -> str:
        """One line on what it is good for, to show beside its answers."""
        return self.spec.purpose

    @property
    def spoken(self) -> str:
        """One line to show beside its answers; of the miniature also the command that brings real weights."""
        told = f"bundle {self.name}: {self.purpose}"
        return (
            f"{told}; for photographs: {download_command('light')}" if self.spec.shipped else told
        )

    @property
    def path(self) -> Path:
        """The bundle's folder. A shipped one lies beside its manifest, wherever downloads go."""
        return (
            manifest_path(self.root).parent / self.name
            if self.spec.shipped
            else self.root / self.name
        )

    def folder(self, role: str) -> Path:
        """The folder of one role ("sam", "captions", ...); raises ``WeightsError`` for an unknown one.

        Of a model that another shipped bundle lends, it is the other's.
        """
        own = _known(role)
        there = next((file.folder for file in self.spec.files if file.role == role), own)
        return Path(os.path.normpath(self.path / there))

    def files_to_have(self) -> tuple[WeightFile, ...]:
        """The files that this bundle consists of: all but those of optional roles never asked for."""
        brought = read_lock(self.path)
        asked = {file.role for file in self.spec.files if file.path in brought}
        return tuple(
            file
            for file in self.spec.files
            if not file.optional or file.source.shipped or file.role in asked
        )

    def has(self, role: str) -> bool:
        """Whether the bundle has this role, as far as manifest and lock tell.

        Raises ``WeightsError`` for an unknown role, and if the lock can't be read.
        """
        return _known(role) in {file.role for file in self.files_to_have()}

    def folders(self) -> dict[str, Path]:
        """The folders of all roles that the bundle has."""
        return {role: self.folder(role) for role in (*ROLES, *OPTIONAL_ROLES) if self.has(role)}

    def models(self) -> dict[str, str]:
        """What the models of its roles are called, where that is known; of several in a role, the first."""
        names: dict[str, str] = {}
        for file in self.files_to_have():
            if file.model:
                names.setdefault(file.role, file.model)
        return names

    def mask_remedies(self) -> dict[str, str]:
        """Of each mask source without weights here, the command that brings them."""
        return {
            name: self.remedy_for(source.role)
            for name, source in MASK_SOURCES.items()
            if not self.has(source.role)
        }

    @property
    def remedy(self) -> str:
        """The command that brings what is missing or damaged."""
        if self.spec.composed:
            return f"put it together again: ssa weights compose {self.name} --from ..."
        if self.spec.shipped and INSTALLED:
            return "install semantic-segment-anything anew"
        if self.spec.shipped:
            homes = {shown_path(self.name, file.path).split("/")[0] for file in self.spec.files}
            folders = " ".join(f"weights/{name}" for name in sorted({self.name, *homes}))
            return f"restore it with: git checkout -- {folders}"
        return f"bring it with: {download_command(self.name)}"

    def remedy_for(self, role: str) -> str:
        """The command that brings an optional role; what to do instead where the bundle offers none."""
        if _known(role) not in {file.role for file in self.spec.files}:
            flag = f"--{role.replace('_', '-')} DIR"
            return (
                f"{self.name} offers none: use another bundle, or put one together with: "
                f"ssa weights compose NAME --from {self.name} {flag}"
            )
        if self.spec.shipped or self.spec.composed or role in ROLES:
            return self.remedy
        return f"{self.remedy} --with {role.replace('_', '-')}"


def shown_path(bundle: str, path: str) -> str:
    """A file's path as it is told, "tiny/sam/config.json", wherever it lies."""
    return posixpath.normpath(f"{bundle}/{path}")


def _known(role: str) -> str:
    roles = (*ROLES, *OPTIONAL_ROLES)
    if role not in roles:
        raise WeightsError(f"no role is called {role!r}: use {', '.join(roles)}")
    return role


def open_bundle(root: Path, name: str) -> Bundle:
    """The bundle called ``name`` under ``root``, whether or not its files are there."""
    return Bundle(root, load_manifest(root).bundle(name))
