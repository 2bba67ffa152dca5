"""One file over HTTPS: resumed, retried, checked, and under its name only when it is whole.

Bytes gather in ``<name>.part``; its ETag lies beside it, so that a later run goes on where this one
stopped (Range with If-Range, RFC 9110 sections 13.1.5 and 14) and starts over when the file has changed.
"""

from __future__ import annotations

import http.client
import ipaddress
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tqdm import tqdm

from ssa.errors import DownloadError
from ssa.weights.files import sha256_of

WAITS_S = (1.0, 2.0, 5.0, 10.0)
"""Pauses between attempts; after that many in a row without a new byte we give up."""
_TIMEOUT_S = 60.0
_CHUNK_BYTES = 1 << 20
_TRANSIENT = frozenset({408, 425, 429})
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class TransientError(Exception):
    """What went wrong may be gone at the next attempt."""


def fetch(
    url: str,
    target: Path,
    *,
    size: int | None = None,
    sha256: str | None = None,
    waits_s: Sequence[float] = WAITS_S,
    progress: bool = True,
) -> str:
    """Bring ``url`` to ``target`` and return the SHA-256 of what came.

    ``size`` (bytes) and ``sha256`` are demanded where they are given. Raises ``DownloadError`` for an
    address that is not HTTPS (HTTP only on loopback), an answer that is final, a network that stays away,
    and content that is not what was promised; ``target`` does not exist then.
    """
    check_url(url)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(f"{target}.part")
    if target.exists():
        # Left by a run that was stopped after fetching; it is checked again like any other part.
        os.replace(target, part)
    with tqdm(
        total=size, desc=target.name, unit="B", unit_scale=True, disable=None if progress else True
    ) as bar:
        _persist(url, part, size, waits_s, bar)
    digest = _checked(url, part, size, sha256)
    os.replace(part, target)
    _tag_path(part).unlink(missing_ok=True)
    return digest


def check_url(url: str) -> None:
    """Raise ``DownloadError`` unless ``url`` is https, or http to this very machine."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        return
    raise DownloadError(f"{url}: weights come over https only (http is for loopback)")


def is_transient(status: int) -> bool:
    """Whether an HTTP status may be gone at the next attempt."""
    return status >= 500 or status in _TRANSIENT


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _checked(url: str, part: Path, size: int | None, sha256: str | None) -> str:
    found = part.stat().st_size
    if size is not None and found != size:
        _discard(part)
        raise DownloadError(f"{url}: expected {size} bytes, got {found}; nothing was kept")
    digest = sha256_of(part)
    if sha256 is not None and digest != sha256:
        _discard(part)
        raise DownloadError(f"{url}: expected sha256 {sha256}, got {digest}; nothing was kept")
    return digest


def _persist(
    url: str, part: Path, size: int | None, waits_s: Sequence[float], bar: tqdm[Any]
) -> None:
    furthest, failures = _size(part), 0
    while size is None or furthest != size:
        try:
            return _attempt(url, part, size, bar)
        except TransientError as error:
            reached = _size(part)
            failures = 1 if reached > furthest else failures + 1
            furthest = max(furthest, reached)
            if failures > len(waits_s):
                raise DownloadError(
                    f"{url}: {error}; gave up after {failures} attempts. "
                    "Run the same command again to go on from here"
                ) from error
            time.sleep(waits_s[failures - 1])


def _attempt(url: str, part: Path, size: int | None, bar: tqdm[Any]) -> None:
    try:
        with _open(url, part) as response:
            total = _receive(response, url, part, size, bar)
    except urllib.error.HTTPError as error:
        _refuse(url, part, size, error)
    except (OSError, http.client.HTTPException) as error:
        raise TransientError(f"connection failed ({error})") from error
    else:
        if total is not None and _size(part) < total:
            raise TransientError(f"connection closed after {_size(part)} of {total} bytes")


def _open(url: str, part: Path) -> http.client.HTTPResponse:
    request = urllib.request.Request(url, headers={"User-Agent": "semantic-segment-anything"})
    have = _size(part)
    if have:
        request.add_header("Range", f"bytes={have}-")
        if _tag_path(part).is_file():
            request.add_header("If-Range", _tag_path(part).read_text(encoding="latin-1"))
    opener = urllib.request.build_opener(_SafeRedirects())
    return opener.open(request, timeout=_TIMEOUT_S)  # type: ignore[no-any-return]


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to an address that could have been asked for in the first place."""

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        check_url(newurl)
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise DownloadError(f"{req.full_url}: redirected to {newurl}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _receive(
    response: http.client.HTTPResponse, url: str, part: Path, size: int | None, bar: tqdm[Any]
) -> int | None:
    start, total = _extent(response, part)
    total = size if total is None else total
    if size is not None and total != size:
        _discard(part)
        raise DownloadError(f"{url}: expected {size} bytes, the server offers {total}")
    _keep_tag(response, part)
    bar.total, bar.n = total, start
    bar.refresh()
    with part.open("ab" if start else "wb") as stream:
        while chunk := response.read(_CHUNK_BYTES):
            stream.write(chunk)
            bar.update(len(chunk))
    return total


def _extent(response: http.client.HTTPResponse, part: Path) -> tuple[int, int | None]:
    """Where in the file this answer begins, and how long the file is if the server says so."""
    if response.status != 206:
        length = response.headers.get("Content-Length")
        return 0, int(length) if length and length.isdigit() else None
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if match is None or int(match[1]) != _size(part):
        _discard(part)
        raise TransientError("the server resumed at another place")
    return int(match[1]), int(match[2]) if match[2] != "*" else None


def _refuse(url: str, part: Path, size: int | None, error: urllib.error.HTTPError) -> None:
    if error.code == 416:
        # Nothing is left to send: the part is whole, or belongs to another file.
        if size is not None and _size(part) == size:
            return
        _discard(part)
        raise TransientError("the part did not fit the file") from error
    if is_transient(error.code):
        raise TransientError(f"HTTP {error.code} {error.reason}") from error
    raise DownloadError(f"{url}: HTTP {error.code} {error.reason}") from error


def _keep_tag(response: http.client.HTTPResponse, part: Path) -> None:
    tag = response.headers.get("ETag", "")
    # If-Range takes strong validators only; without one, the hash at the end has to tell.
    if tag and not tag.startswith("W/"):
        _tag_path(part).write_text(tag, encoding="latin-1")
    else:
        _tag_path(part).unlink(missing_ok=True)


def _tag_path(part: Path) -> Path:
    return Path(f"{part}.etag")


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _tag_path(part).unlink(missing_ok=True)
