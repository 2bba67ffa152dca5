"""One browser for all tests of a worker; where there is none, they are skipped, and say why."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from review_scenes import regions, serving, write_results

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


def program() -> str | None:
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    path = program()
    if path is None:
        pytest.skip(
            "no Chromium: install it (apt-get install chromium) or name it with CHROMIUM=..."
        )
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Two pictures of four regions each."""
    return write_results(tmp_path / "out", [regions(), regions("cloud")])


@pytest.fixture
def url(out: Path) -> Iterator[str]:
    with serving(out) as url:
        yield url


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens the page at an address; afterwards no other host was asked, and nothing complained of."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    complaints: list[str] = []
    hosts: set[str] = set()

    def opened(url: str, may_complain: bool = False) -> Any:
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        if not may_complain:
            page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url)
        page.wait_for_selector("body[data-ready]")
        return page

    yield opened
    context.close()
    # The server may end before the page does, which goes on to ask it.
    assert [one for one in complaints if "ERR_CONNECTION_REFUSED" not in one] == []
    assert {host.split(":")[0] for host in hosts} <= {"127.0.0.1"}


@pytest.fixture
def page(open_page: Callable[..., Any], url: str) -> Any:
    return open_page(url)
