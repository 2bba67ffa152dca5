"""Bundles of weights: what files they hold, where those come from, and whether they are whole.

A bundle is one folder, ``weights/<bundle>/<role>/...``, described in ``weights/manifest.json``. The
engine chooses a bundle and verifies it, and this package gives it no more than that. Fetching lives in
``ssa.weights.download`` and happens when someone asks for it: ``./scripts/download_weights``.

In: a bundle's name, the manifest, folders. Out: a ``Bundle`` whose files are whole, or an error that says
which aren't. May be changed: where files come from and lie; no model is known here, and nothing is loaded.
"""

from ssa.weights.bundle import Bundle, open_bundle
from ssa.weights.checks import fingerprint, verify, verify_what_changed
from ssa.weights.choose import choose_bundle
from ssa.weights.manifest import Manifest, load_manifest
from ssa.weights.places import SHIPPED_ROOT, default_root

__all__ = [
    "SHIPPED_ROOT",
    "Bundle",
    "Manifest",
    "choose_bundle",
    "default_root",
    "fingerprint",
    "load_manifest",
    "open_bundle",
    "verify",
    "verify_what_changed",
]
