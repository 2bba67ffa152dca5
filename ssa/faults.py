"""What was wrong with one file of many: a row for the list of errors, while the work goes on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """A file that could not be dealt with: its name, the step that failed ("decode"), and why in one line."""

    file: str
    step: str
    message: str
