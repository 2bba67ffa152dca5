"""Where bundles lie: those that come with this project, and those that were downloaded.

In a checkout both lie in ``weights/``. An installed copy has the first inside the package, and downloads go
to the user's data folder. ``SSA_WEIGHTS`` names another folder for downloads, in both.
"""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path

_PACKAGE = Path(__file__).resolve().parents[1]
_PACKED = _PACKAGE / "shipped"

INSTALLED = _PACKED.is_dir()
"""Whether this copy came as a wheel; else it is a checkout, with the scripts beside it."""

SHIPPED_ROOT = _PACKED / "weights" if INSTALLED else _PACKAGE.parent / "weights"
"""Holds the manifest and the miniature."""


MODEL_FOLDER = _PACKED if INSTALLED else _PACKAGE.parent
"""Holds predict.py, the Cog model."""


def default_root() -> Path:
    """The folder of downloaded bundles, whether or not it is there yet."""
    named = os.environ.get("SSA_WEIGHTS")
    if named:
        return Path(named).expanduser().absolute()
    return user_data_path("ssa") / "weights" if INSTALLED else SHIPPED_ROOT


def told(variable: str, given: str | None) -> str | None:
    """What was given, else what ``SSA_BUNDLE``, ``SSA_DEVICE`` or ``SSA_DTYPE`` says, else None."""
    return given or os.environ.get(variable) or None


def download_command(bundle: str) -> str:
    """The command that brings a bundle, as it is typed where this copy lives."""
    return f"ssa weights download {bundle}" if INSTALLED else f"./scripts/download_weights {bundle}"
