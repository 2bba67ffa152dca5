"""What the hub says of a file: its commit, size and hash."""

from __future__ import annotations

import pytest

from ssa.errors import DownloadError
from ssa.weights.hub import locate
from ssa.weights.manifest import Source
from tests.weights.world import (
    BODY,
    COMMIT,
    put_hub_file,
    sha,
)
from tests.weights_server import Server, serving


def test_locate_finds_commit_size_and_hash(hub: Server) -> None:
    put_hub_file(hub, "them/model", "big.bin", BODY, revision="main", lfs=True)
    found = locate(Source(hub="them/model", revision="main", file="big.bin"), ())
    assert found.url == f"{hub.url}/them/model/resolve/{COMMIT}/big.bin"
    assert (found.revision, found.size, found.sha256) == (COMMIT, len(BODY), sha(BODY))


def test_locate_knows_no_sha256_of_a_file_outside_lfs(hub: Server) -> None:
    put_hub_file(hub, "datasets/them/data", "small.json", b"{}")
    source = Source(hub="them/data", repo_type="dataset", revision=COMMIT, file="small.json")
    assert locate(source, ()).sha256 is None


def test_locate_refuses_another_commit_than_the_pinned_one(hub: Server) -> None:
    put_hub_file(hub, "them/model", "a", BODY, revision="d" * 40)
    with pytest.raises(DownloadError, match=f"answered with commit {COMMIT}"):
        locate(Source(hub="them/model", revision="d" * 40, file="a"), ())


def test_locate_refuses_a_server_that_is_no_hub(hub: Server) -> None:
    hub.put("/them/model/resolve/main/a", BODY)
    with pytest.raises(DownloadError, match="names no commit"):
        locate(Source(hub="them/model", revision="main", file="a"), ())


def test_locate_says_what_is_not_there(hub: Server) -> None:
    with pytest.raises(DownloadError, match="them/model@main/a: HTTP 404"):
        locate(Source(hub="them/model", revision="main", file="a"), ())


def test_locate_waits_for_a_hub_that_is_down(hub: Server) -> None:
    hub.put("/them/model/resolve/main/a", status=503)
    with pytest.raises(DownloadError, match="them/model@main/a: HTTP 503"):
        locate(Source(hub="them/model", revision="main", file="a"), (0.0, 0.0))
    assert len(hub.requests) == 3


def test_locate_says_when_the_hub_is_out_of_reach(
    hub: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as gone:
        monkeypatch.setenv("HF_ENDPOINT", gone.url)
    with pytest.raises(DownloadError, match="out of reach"):
        locate(Source(hub="them/model", revision="main", file="a"), (0.0,))


def test_locate_refuses_plain_http_to_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.example.com")
    with pytest.raises(DownloadError, match="https only"):
        locate(Source(hub="them/model", revision="main", file="a"), ())


def test_locate_names_the_switch_that_keeps_it_offline(
    hub: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadError, match="HF_HUB_OFFLINE is set"):
        locate(Source(hub="them/model", revision="main", file="a"), ())
