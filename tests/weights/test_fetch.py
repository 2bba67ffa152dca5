"""One file over HTTP: whole or not at all, resumed, from where a URL may lead."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssa.errors import DownloadError
from ssa.weights.fetch import check_url, fetch
from tests.weights.world import (
    BODY,
    QUICK,
    sha,
)
from tests.weights_server import Server, serving


def test_fetch_brings_the_file_and_leaves_nothing_else(server: Server, tmp_path: Path) -> None:
    url = server.put("/a.bin", BODY)
    digest = fetch(url, tmp_path / "deep/a.bin", size=len(BODY), sha256=sha(BODY), **QUICK)
    assert digest == sha(BODY)
    assert (tmp_path / "deep/a.bin").read_bytes() == BODY
    assert os.listdir(tmp_path / "deep") == ["a.bin"]


@pytest.mark.parametrize("promise", [{"sha256": "0" * 64}, {"size": len(BODY) + 1}, {"size": 7}])
def test_fetch_refuses_what_was_not_promised(
    server: Server, tmp_path: Path, promise: dict[str, object]
) -> None:
    url = server.put("/a.bin", BODY)
    with pytest.raises(DownloadError, match="expected"):
        fetch(url, tmp_path / "a.bin", **promise, **QUICK)
    assert os.listdir(tmp_path) == []


def test_fetch_resumes_after_a_dropped_connection(server: Server, tmp_path: Path) -> None:
    url = server.put("/a.bin", BODY, faults=["1000", "2000"])
    assert fetch(url, tmp_path / "a.bin", **QUICK) == sha(BODY)
    assert [request[2:] for request in server.requests] == [
        (None, None),
        ("bytes=1000-", '"v1"'),
        ("bytes=3000-", '"v1"'),
    ]


def test_fetch_goes_on_where_an_earlier_run_stopped(server: Server, tmp_path: Path) -> None:
    url = server.put("/a.bin", BODY, faults=["4000", "status 500"])
    with pytest.raises(DownloadError, match="go on from here"):
        fetch(url, tmp_path / "a.bin", waits_s=(), progress=False)
    assert not (tmp_path / "a.bin").exists()
    server.pages["/a.bin"].faults.clear()
    fetch(url, tmp_path / "a.bin", **QUICK)
    assert server.requests[-1][2] == "bytes=4000-"
    assert (tmp_path / "a.bin").read_bytes() == BODY


def test_fetch_starts_over_when_the_file_has_changed(server: Server, tmp_path: Path) -> None:
    url = server.put("/a.bin", BODY, faults=["4000"])
    with pytest.raises(DownloadError):
        fetch(url, tmp_path / "a.bin", waits_s=(), progress=False)
    server.put("/a.bin", b"new" * 3000, etag='"v2"')
    fetch(url, tmp_path / "a.bin", **QUICK)
    assert (tmp_path / "a.bin").read_bytes() == b"new" * 3000


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_fetch_without_a_strong_etag_relies_on_the_hash(
    server: Server, tmp_path: Path, etag: str | None
) -> None:
    url = server.put("/a.bin", BODY, etag=etag, faults=["4000"])
    fetch(url, tmp_path / "a.bin", sha256=sha(BODY), **QUICK)
    assert server.requests[-1][2:] == ("bytes=4000-", None)


def test_fetch_copes_with_a_server_that_ignores_ranges(server: Server, tmp_path: Path) -> None:
    url = server.put("/a.bin", BODY, ranges=False, faults=["4000"])
    assert fetch(url, tmp_path / "a.bin", **QUICK) == sha(BODY)
    assert (tmp_path / "a.bin").stat().st_size == len(BODY)


def test_fetch_needs_no_content_length(server: Server, tmp_path: Path) -> None:
    url = server.put("/a.bin", BODY, length=False, faults=["4000"])
    fetch(url, tmp_path / "a.bin", size=len(BODY), **QUICK)
    assert server.requests[-1][2] == "bytes=4000-"
    assert (tmp_path / "a.bin").read_bytes() == BODY
    with pytest.raises(DownloadError, match="expected 9000 bytes, got 10240; nothing was kept"):
        fetch(url, tmp_path / "b.bin", size=9000, **QUICK)
    assert os.listdir(tmp_path) == ["a.bin"]


def test_fetch_gives_up_on_a_body_that_is_always_short(server: Server, tmp_path: Path) -> None:
    url = server.put("/a.bin", BODY, ranges=False, faults=["4000"] * 9)
    with pytest.raises(DownloadError, match="closed after 4000 of 10240 bytes"):
        fetch(url, tmp_path / "a.bin", **QUICK)
    assert not (tmp_path / "a.bin").exists()
    assert len(server.requests) == 3


def test_fetch_throws_away_a_part_that_is_longer_than_the_file(
    server: Server, tmp_path: Path
) -> None:
    (tmp_path / "a.bin.part").write_bytes(b"x" * (len(BODY) + 5))
    fetch(server.put("/a.bin", BODY), tmp_path / "a.bin", **QUICK)
    assert (tmp_path / "a.bin").read_bytes() == BODY


@pytest.mark.parametrize("name", ["a.bin", "a.bin.part"])
def test_fetch_does_not_bring_what_is_already_whole(
    server: Server, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_bytes(BODY)
    url = server.put("/a.bin", BODY)
    fetch(url, tmp_path / "a.bin", size=len(BODY), sha256=sha(BODY), **QUICK)
    assert server.requests == []
    assert os.listdir(tmp_path) == ["a.bin"]


def test_fetch_tries_again_after_server_errors_but_not_after_a_404(
    server: Server, tmp_path: Path
) -> None:
    url = server.put("/a.bin", BODY, faults=["status 500", "status 429"])
    fetch(url, tmp_path / "a.bin", **QUICK)
    with pytest.raises(DownloadError, match="HTTP 404"):
        fetch(server.url + "/none", tmp_path / "b.bin", **QUICK)
    assert server.gets().count("/none") == 1


def test_fetch_reports_a_server_that_is_not_there(tmp_path: Path) -> None:
    with serving() as gone:
        url = gone.url
    with pytest.raises(DownloadError, match="connection failed"):
        fetch(url + "/a", tmp_path / "a", **QUICK)


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(1, 4000), max_size=6), ranges=st.booleans())
def test_fetch_brings_the_same_bytes_however_often_it_is_cut(cuts: list[int], ranges: bool) -> None:
    with serving() as server, tempfile.TemporaryDirectory() as folder:
        url = server.put("/a.bin", BODY, ranges=ranges, faults=[str(cut) for cut in cuts])
        fetch(url, Path(folder, "a.bin"), waits_s=(0.0,) * 7, progress=False)
        assert Path(folder, "a.bin").read_bytes() == BODY


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/a",
        "file:///etc/passwd",
        "http://localhost.example.com/",
        "ftp://[::1]/",
        "",
    ],
)
def test_only_https_and_loopback_are_asked(url: str) -> None:
    with pytest.raises(DownloadError, match="https"):
        check_url(url)


@pytest.mark.parametrize("url", ["https://example.com/a", "http://127.0.0.1:1/", "http://[::1]/"])
def test_https_and_loopback_are_fine(url: str) -> None:
    check_url(url)


def test_a_redirect_leads_nowhere_a_url_may_not(server: Server, tmp_path: Path) -> None:
    server.put("/good", status=302, headers={"Location": "/a.bin"})
    server.put("/bad", status=302, headers={"Location": "http://example.com/a.bin"})
    server.put("/a.bin", BODY)
    assert fetch(server.url + "/good", tmp_path / "a", **QUICK) == sha(BODY)
    with pytest.raises(DownloadError, match="https only"):
        fetch(server.url + "/bad", tmp_path / "b", **QUICK)
