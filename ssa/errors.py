"""Every error this project raises on purpose; catch ``SSAError`` to catch them all.

    SSAError
    ├── InputError            the caller's value is wrong: says what was expected, what came, what to do
    │   └── ImageError        the picture can't be decoded or is over a limit
    ├── OutputError           results can't be written; what is done is kept, and the run can go on later
    ├── WorkerError           a worker or the cluster it runs on failed, through no fault of a picture
    ├── OutOfMemory           the device or the machine has no room for the work, however it is split
    └── WeightsError          a bundle is missing, incomplete or damaged
        └── DownloadError     a file could not be fetched or was not what the manifest promised

The texts of ``InputError`` and ``OutOfMemory`` are safe to show to a remote client: they never hold a path
of the server.
"""

from __future__ import annotations

from dataclasses import dataclass

NEED_LESS_MEMORY = (
    "try a smaller picture or a smaller bundle, a device with more memory, "
    "or bfloat16 in place of float32"
)
"""What an ``OutOfMemory`` advises."""


class SSAError(Exception):
    """Base of all errors below."""


class InputError(SSAError, ValueError):
    """A value from outside is not acceptable."""


class ImageError(InputError):
    """The picture is unreadable, empty or too large."""


class OutOfMemory(SSAError, MemoryError):
    """An allocation failed, on the device or on the host; a note holds what the library said of it."""


class OutputError(SSAError, OSError):
    """The folder of results can't take more: full, read-only or in use by another run."""


class WorkerError(SSAError):
    """Another process or machine that had work failed; what came of it before is kept."""


class WeightsError(SSAError):
    """A bundle of weights is not there or not whole."""


class DownloadError(WeightsError):
    """A file of a bundle could not be brought in whole."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What was wrong with one file of many, while the work goes on: a row for the list of errors.

    Its name, the step that failed ("decode"), and why in one line.
    """

    file: str
    step: str
    message: str
