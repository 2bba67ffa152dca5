"""What all tests share: no deadlines, for a busy machine is no failing test, and logging as it was before."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("steady", deadline=None)
settings.load_profile("steady")


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """A command that was told to be quiet, or loud, is so for its own test alone.

    Libraries that configure logging may also turn off the loggers that there are by then.
    """
    for name, one in logging.root.manager.loggerDict.items():
        if isinstance(one, logging.Logger) and name.partition(".")[0] == "ssa":
            one.disabled = False
    loggers = [logging.getLogger(), logging.getLogger("ssa")]
    before = [(logger.level, list(logger.handlers)) for logger in loggers]
    yield
    for logger, (level, handlers) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.handlers[:] = handlers
