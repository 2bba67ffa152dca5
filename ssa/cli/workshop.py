"""Commands of the workshop: they measure the project itself, so they work in a checkout alone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from ssa.errors import InputError
from ssa.weights.places import INSTALLED

WORKSHOP = {
    "evaluate": "measure against known truth (in a checkout)",
    "benchmark": "time the engine beside the published pipeline (in a checkout)",
}
"""Each command and what it does; its options are its own (``ssa evaluate --help``)."""

_PLACES = {"evaluate": "evaluation.__main__", "benchmark": "benchmarks.__main__"}
_CHECKOUT = Path(__file__).resolve().parents[2]


def run_workshop(command: str, arguments: Sequence[str]) -> int:
    """Run a command that lies beside ``ssa/``. Raises ``InputError`` in an installed copy."""
    if INSTALLED:
        raise InputError(
            f"expected a checkout for `ssa {command}`; got an installed copy, which has neither drawn "
            "scenes nor the published pipeline; clone the repository and run it there"
        )
    for folder in (_CHECKOUT, _CHECKOUT / "scripts"):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    status: int = import_module(_PLACES[command]).main(arguments)
    return status
