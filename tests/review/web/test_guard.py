"""Only this machine's browser, with the token, on the server's own address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from review_scenes import ask, regions, serving, write_results


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    out: Path = write_results(tmp_path_factory.mktemp("guard") / "out", [regions()])
    with serving(out) as url:
        yield url


def test_the_page_comes_with_a_strict_policy(url: str) -> None:
    import urllib.request

    with urllib.request.urlopen(url) as answer:
        policy = answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in policy


@pytest.mark.parametrize("start", ["", "wrong/", "Ä/", "api/start"])
def test_without_the_token_nothing_is_told(url: str, start: str) -> None:
    root = url[: url.rstrip("/").rindex("/") + 1]
    from urllib.parse import quote

    status, body = ask(root + quote(start))
    assert (status, body) == (403, b"open the address that `ssa review` printed")


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "example.org"},
        {"Host": "localhost"},
        {"Origin": "http://example.org"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_other_hosts_and_origins_are_refused(url: str, headers: dict[str, str]) -> None:
    assert ask(url, **headers)[0] == 403
    assert ask(f"{url}api/undo", {"request": "a"}, **headers)[0] == 403


def test_its_own_origin_is_welcome(url: str) -> None:
    origin = url[: url.rstrip("/").rindex("/")]
    assert ask(f"{url}api/undo", {"request": "a"}, Origin=origin)[0] == 200


def test_forms_of_other_pages_can_not_post(url: str) -> None:
    assert ask(f"{url}api/undo", {"request": "b"}, **{"content-type": "text/plain"})[0] == 415
