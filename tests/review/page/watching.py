"""What the tests of the page wait for and look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ssa.review.decisions import Decision
from ssa.review.log import FILE, read_history


def entries(out: Path) -> list[tuple[Decision, ...]]:
    return [one.decisions for one in read_history(out / FILE).entries]


def saved(page: Any) -> None:
    """Wait until all is on the disk, and shown."""
    page.wait_for_selector("body[aria-busy=false]")


def name(page: Any) -> Any:
    return page.locator("#region h1 .name")
