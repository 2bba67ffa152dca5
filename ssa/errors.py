"""Every error this project raises on purpose; catch ``SSAError`` to catch them all.

    SSAError
    ├── InputError            the caller's value is wrong: says what was expected, what came, what to do
    │   └── ImageError        the picture can't be decoded or is over a limit
    └── WeightsError          a bundle is missing, incomplete or damaged
        └── DownloadError     a file could not be fetched or was not what the manifest promised

The text of an ``InputError`` is safe to show to a remote client: it never holds a path of the server.
"""

from __future__ import annotations


class SSAError(Exception):
    """Base of all errors below."""


class InputError(SSAError, ValueError):
    """A value from outside is not acceptable."""


class ImageError(InputError):
    """The picture is unreadable, empty or too large."""


class WeightsError(SSAError):
    """A bundle of weights is not there or not whole."""


class DownloadError(WeightsError):
    """A file of a bundle could not be brought in whole."""
