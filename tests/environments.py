"""Environments apart, for what can't be in the one that the tests run in; from the registry or its cache."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def uv() -> str:
    """The uv that the scripts use: the one on the path, else our own."""
    return shutil.which("uv") or str(ROOT / ".uv" / "bin" / "uv")


def pins(path: Path, *options: str) -> Path:
    """A file of exact versions by uv.lock, of what ``uv export`` is asked for."""
    export = [uv(), "export", "--locked", "--quiet", "--no-hashes", *options, "-o", str(path)]
    subprocess.run(export, cwd=ROOT, check=True, capture_output=True)
    return path


def made(folder: Path, *packages: str | Path) -> Path:
    """A new environment with these packages, as pip names them; its folder of programs."""
    subprocess.run([uv(), "venv", "--quiet", "--python", sys.executable, folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run([uv(), "pip", "install", "--quiet", "--python", python, *packages], check=True)
    return folder / "bin"
