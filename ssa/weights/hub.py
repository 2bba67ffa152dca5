"""A file of a Hugging Face repository: its address, commit, size and hash, asked of the hub.

The bytes then come through ``fetch``: ``hf_hub_download`` of huggingface_hub 2.x throws its partial file
away when a process ends, and two gigabytes should not begin again. ``HF_ENDPOINT`` names another hub.
No token is sent: every repository of the manifest is public.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from ssa.errors import DownloadError
from ssa.weights.fetch import WAITS_S, TransientError, check_url, is_transient
from ssa.weights.manifest import Source

_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Remote:
    """Where a file's bytes are and what the server says of them; ``None`` where it does not say.

    ``revision`` is the commit, empty for a plain URL.
    """

    url: str
    revision: str
    size: int | None
    sha256: str | None


def locate(source: Source, waits_s: Sequence[float] = WAITS_S) -> Remote:
    """Resolve a hub file to an address that names its commit; raises ``DownloadError``."""
    check_url(_address(source, source.revision))
    for wait_s in waits_s:
        try:
            return _ask(source)
        except TransientError:
            time.sleep(wait_s)
    try:
        return _ask(source)
    except TransientError as error:
        raise DownloadError(f"{source}: {error}") from error


def _ask(source: Source) -> Remote:
    from huggingface_hub import get_hf_file_metadata
    from huggingface_hub.errors import HfHubHTTPError, HTTPError, OfflineModeIsEnabled

    try:
        found = get_hf_file_metadata(
            _address(source, source.revision), token=False, endpoint=_endpoint()
        )
    except OfflineModeIsEnabled as error:
        raise DownloadError("HF_HUB_OFFLINE is set: unset it to download weights") from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        if is_transient(status):
            raise TransientError(f"HTTP {status}") from error
        raise DownloadError(f"{source}: HTTP {status}") from error
    except (HTTPError, OSError) as error:
        raise TransientError(f"the hub is out of reach ({error})") from error
    revision = _commit(source, found.commit_hash)
    # The ETag of a file in LFS is its SHA-256; that of a small file is a git hash: no help.
    digest = found.etag if found.etag and _SHA256.fullmatch(found.etag) else None
    return Remote(_address(source, revision), revision, found.size, digest)


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT")


def _address(source: Source, revision: str) -> str:
    from huggingface_hub import hf_hub_url

    return str(
        hf_hub_url(
            source.hub,
            source.file,
            repo_type=source.repo_type,
            revision=revision,
            endpoint=_endpoint(),
        )
    )


def _commit(source: Source, commit: str | None) -> str:
    if commit is None or not _COMMIT.fullmatch(commit):
        raise DownloadError(f"{source}: the server names no commit; is HF_ENDPOINT a hub?")
    if _COMMIT.fullmatch(source.revision) and commit != source.revision:
        raise DownloadError(f"{source}: the server answered with commit {commit}")
    return commit
