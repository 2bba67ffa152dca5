"""Colours of the page in both schemes: text has the contrast that WCAG 2 asks for (AA), and so has focus."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from contrast import contrast

STYLE = (Path(__file__).parents[3] / "ssa/review/page/style.css").read_text()

TEXTS = [
    *((ink, paper) for ink in ("ink", "soft", "accent", "danger", "warm") for paper in ("panel",)),
    *((ink, paper) for ink in ("ink", "soft", "accent") for paper in ("raised", "ground")),
    ("on-accent", "accent"),
    ("panel", "ink"),  # what is said for a moment stands white on black
]
MARKS = [("accent", paper) for paper in ("panel", "raised", "ground", "stage")]


def colours(scheme: int) -> dict[str, str]:
    """The named colours of the light scheme (0) or the dark one (1)."""
    pairs = re.findall(r"--([a-z-]+): light-dark\((#\w{6}), (#\w{6})\)", STYLE)
    return {name: (light, dark)[scheme] for name, light, dark in pairs}


def test_contrast_is_wcags() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "paper"), TEXTS)
def test_text_can_be_read(scheme: int, ink: str, paper: str) -> None:
    known = colours(scheme)
    assert contrast(known[ink], known[paper]) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("mark", "paper"), MARKS)
def test_focus_can_be_seen(scheme: int, mark: str, paper: str) -> None:
    known = colours(scheme)
    assert contrast(known[mark], known[paper]) >= 3
