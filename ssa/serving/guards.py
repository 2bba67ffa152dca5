"""What the predictor's work is wrapped in."""

from __future__ import annotations

import functools
import gc
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from ssa.errors import InputError, WeightsError
from ssa.inputs import INPUTS, unknown_names

Method = TypeVar("Method", bound=Callable[..., Any])


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


def known_names_only(method: Method) -> Method:
    """``method``, but a request with other names is one line instead of Python's ``TypeError``.

    Cog passes on all names that a request has where it runs without a schema; with one it drops, without a
    word and before any check, those that the schema doesn't have.
    """

    @functools.wraps(method)
    def checked(*values: Any, **given: Any) -> Any:
        unknown = [name for name in given if name not in INPUTS]
        if unknown:
            raise InputError(unknown_names(unknown, INPUTS))
        return method(*values, **given)

    return cast(Method, checked)
