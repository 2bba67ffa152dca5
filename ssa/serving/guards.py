"""What the predictor's work is wrapped in."""

from __future__ import annotations

import gc
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from ssa.errors import InputError, WeightsError


@contextmanager
def nothing_collected() -> Iterator[None]:
    """No search for garbage meanwhile: what setup makes stays, and looking it through costs half a second."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def traceback_in_server_log() -> Iterator[None]:
    """Log where an unexpected exception comes from, and let it go on; Cog itself logs no traceback.

    What goes to ``sys.stderr`` may travel back to the caller with the answer. The server's own log is
    behind ``sys.__stderr__``, and a traceback, full of the server's paths, belongs there.
    """
    try:
        yield
    except (InputError, WeightsError):
        raise
    except Exception:
        traceback.print_exc(file=sys.__stderr__)
        raise
