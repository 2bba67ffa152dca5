"""What importing the package loads."""

from __future__ import annotations

import subprocess
import sys

from ssa.weights import SHIPPED_ROOT


def test_importing_the_package_loads_no_model_library_and_no_downloader() -> None:
    code = "import sys, ssa.weights; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=SHIPPED_ROOT.parent,
        capture_output=True,
        check=True,
        text=True,
    )
    heavy = {"torch", "huggingface_hub", "safetensors", "ssa.weights.fetch", "ssa.weights.download"}
    assert not heavy & set(done.stdout.split())
