"""The pages of this project, and what of Markdown the tests of pages need to know."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

CARDS = (
    "CHANGELOG.md",
    "benchmarks/README.md",
    "weights/README.md",
    "weights/tiny/README.md",
    "weights/tiny-modern/README.md",
)
PAGES = (
    "README.md",
    *CARDS,
    *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))),
)

FENCE = re.compile(r"^```(?P<language>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(?P<text>.+?) *$", re.MULTILINE)


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def prose_of(page: str) -> str:
    """The page without its blocks of code and its code spans."""
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", text_of(page)))


def snippets(page: str, language: str) -> list[str]:
    """The blocks of code in a language, in order."""
    return [one["text"] for one in FENCE.finditer(text_of(page)) if one["language"] == language]


def links(page: str) -> Iterator[str]:
    """Targets of links and pictures, those to other hosts left out."""
    for one in LINK.finditer(prose_of(page)):
        if not re.match(r"[a-z]+:", one["target"]):
            yield one["target"]


def anchors(page: str) -> set[str]:
    """What a link may name behind ``#``, as GitHub makes it of headings."""
    seen: Counter[str] = Counter()
    found = set()
    for one in HEADING.finditer(FENCE.sub("", text_of(page))):
        words = re.sub(r"[^\w\- ]", "", one["text"].replace("`", "").lower())
        anchor = words.replace(" ", "-")
        found.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return found
