"""The site: links led to its places; whole, and without anything from other hosts, where mkdocs is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from site_pages import PLACES, led_anew
from tests.docs.pages import PAGES, ROOT, text_of


def test_links_are_led_to_places_of_the_site() -> None:
    assert led_anew("[a](docs/python.md#one)", "README.md") == "[a](python.md#one)"
    assert led_anew("[a](../README.md)", "docs/python.md") == "[a](index.md)"
    assert led_anew("![a](../examples/street.png)", "docs/labels.md") == "![a](examples/street.png)"
    assert led_anew("[a](../../CHANGELOG.md)", "weights/tiny/README.md") == "[a](changes.md)"


def test_what_is_no_link_between_pages_stays() -> None:
    for text in ("[a](https://x.org/docs/a.md)", "[a](#here)", "`[a](docs/b.md)`"):
        assert led_anew(text, "README.md") == text
    block = "```\n[a](docs/b.md)\n```"
    assert led_anew(block, "README.md") == block


def test_every_page_is_in_the_navigation() -> None:
    named = re.findall(r": ([\w-]+\.md)$", text_of("mkdocs.yml"), re.MULTILINE)
    assert sorted(named) == sorted(PLACES.get(page, page.removeprefix("docs/")) for page in PAGES)


def test_the_site_is_built_and_asks_no_other_host(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    pages = sorted(tmp_path.glob("*.html"))
    assert len(pages) > len(PAGES) - 1
    for page in pages:
        text = page.read_text()
        assert (
            re.findall(r"<(?:script|img|iframe|source)[^>]*\ssrc=\"?(?:https?:)?//[^>]*", text)
            == []
        )
        assert (
            re.findall(r"<link(?![^>]*rel=\"?canonical)[^>]*href=\"?(?:https?:)?//[^>]*", text)
            == []
        )
