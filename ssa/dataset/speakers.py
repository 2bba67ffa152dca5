"""Which weights speak in the results of a run, or of several that were mixed."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ssa.dataset.identity import digest_of
from ssa.dataset.ledger import Ledger
from ssa.formats.options import MADE_BY
from ssa.weights import load_manifest


def made_by(ledger: Ledger) -> str:
    """One line for files: this program, and each bundle that annotated something, with its purpose."""
    return "; ".join([MADE_BY, *sorted(set(_bundles(ledger)))])


def _bundles(ledger: Ledger) -> Iterator[str]:
    known = load_manifest().bundles
    last = ledger.fact("identity") or ""
    for digest, identity in ledger.makers().items():
        # Earlier versions noted the last identity alone.
        text = identity or (last if digest == digest_of(last) else None)
        if not text:
            yield "weights that are not on record"
            continue
        name = json.loads(text).get("bundle")
        if isinstance(name, str):
            yield f"bundle {name}" + (f": {known[name].purpose}" if name in known else "")
