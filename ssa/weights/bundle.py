"""A bundle on disk: its name, its folder, and where each role lives in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ssa.errors import WeightsError
from ssa.weights.manifest import ROLES, BundleSpec, load_manifest


@dataclass(frozen=True, slots=True)
class Bundle:
    """One complete set of weights under ``root``; that it is complete is for ``verify`` to say."""

    root: Path
    spec: BundleSpec

    @property
    def name(self) -> str:
        """``"base"``, ``"light"`` or ``"tiny"``."""
        return self.spec.name

    @property
    def purpose(self) -> str:
        """One line on what it is good for, to show beside its answers."""
        return self.spec.purpose

    @property
    def path(self) -> Path:
        """The bundle's folder."""
        return self.root / self.name

    def folder(self, role: str) -> Path:
        """The folder of one role ("sam", "captions", ...); raises ``WeightsError`` for an unknown one."""
        if role not in ROLES:
            raise WeightsError(f"no role is called {role!r}: use {', '.join(ROLES)}")
        return self.path / role

    @property
    def remedy(self) -> str:
        """The command that brings what is missing or damaged."""
        if self.spec.shipped:
            return f"restore it with: git checkout -- weights/{self.name}"
        return f"bring it with: ./scripts/download_weights {self.name}"


def open_bundle(root: Path, name: str) -> Bundle:
    """The bundle called ``name`` under ``root``, whether or not its files are there."""
    return Bundle(root, load_manifest(root).bundle(name))
