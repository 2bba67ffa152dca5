"""Which bundle to use: the one asked for, or the best one present."""

from __future__ import annotations

import logging
from pathlib import Path

from ssa.errors import WeightsError
from ssa.weights.bundle import Bundle
from ssa.weights.checks import complaint, presence_problems
from ssa.weights.manifest import load_manifest
from ssa.weights.places import download_command

logger = logging.getLogger(__name__)


def choose_bundle(root: Path, requested: str | None = None) -> Bundle:
    """The bundle ``requested``, never another one; else the best whose files are all there.

    Raises ``WeightsError`` if the one asked for is unknown or not all there, or if none is. Looks at
    names only: ``verify`` reads the files.
    """
    manifest = load_manifest(root)
    if requested:
        return _requested(Bundle(root, manifest.bundle(requested)))
    for spec in manifest.bundles.values():
        if spec.composed:
            continue  # asked for by name alone
        bundle = Bundle(root, spec)
        problems = presence_problems(bundle)
        if not problems:
            return bundle
        if bundle.path.is_dir():
            logger.warning("passed over %s: %s", spec.name, problems[0])
    raise WeightsError(
        f"no bundle of weights is complete in {root.name}/: "
        f"bring one with {download_command('light')} (or base)"
    )


def _requested(bundle: Bundle) -> Bundle:
    problems = presence_problems(bundle)
    if problems:
        raise WeightsError(complaint(bundle, problems))
    return bundle
