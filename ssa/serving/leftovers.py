"""Pictures that Cog leaves in the temporary folder, removed at the next prediction.

Cog fetches a request's picture into a file made by ``tempfile`` in the worker. It removes the file after the
prediction, but not where a cancellation comes while it is being fetched: then nobody knows its name. So the
worker's temporary files get a prefix of their own, by which they are found again.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

PREFIX = f"ssa-input-{os.getpid()}-"


def mark_temporary_files() -> None:
    """Give the files that this process makes without a prefix one of ours, if it is Cog's worker.

    In anybody else's process they stay as they are: there they aren't ours to remove.
    """
    if "COG_PREDICT_TYPE_STUB" in os.environ:
        tempfile.template = PREFIX


def remove_leftovers(keep: object) -> None:
    """Remove the marked files of earlier predictions, all but the path ``keep``; one runs at a time."""
    if tempfile.template != PREFIX:
        return
    for path in Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        if path.is_file() and path.name != Path(str(keep)).name:
            path.unlink(missing_ok=True)
