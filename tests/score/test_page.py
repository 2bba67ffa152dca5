from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

from contrast import contrast
from PIL import Image

from ssa.score.comparing import compare
from ssa.score.figures import score_of
from ssa.score.page import Compared, page_of
from ssa.score.tally import Tally, tally_of
from tests.score.drawn import PLACES, SIZE, pair, region, truth

HOSTILE = "<script>alert(1)</script>\"'&</style>"


class Reader(HTMLParser):
    """Tags, and whatever could make a browser ask for something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.asked: list[str] = []
        self.said = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.asked += [value or "" for name, value in attrs if name in ("src", "href", "srcset")]

    def handle_data(self, data: str) -> None:
        self.said += data


def place(path: Path) -> None:
    Image.new("RGB", SIZE[::-1]).save(path, format="PNG")


def run_of(name: str) -> Tally:
    found = [region(PLACES[0], name, confidence=0.9), region(PLACES[1], "couch", confidence=0.8)]
    true = [replace(truth()[0], label=HOSTILE), *truth()[1:]]
    return tally_of([pair(found, true, f"{HOSTILE}.png", place=place)])


def page(tally: Tally, other: Compared | None = None) -> str:
    return page_of(HOSTILE, [f"Against {HOSTILE}."], score_of(tally), tally.worst.cases, other)


def test_the_page_asks_nobody_and_runs_nothing() -> None:
    tally = run_of(f"{HOSTILE} too")
    made = page(tally)
    reader = Reader(made)
    assert "script" not in reader.tags
    assert "link" not in reader.tags
    assert reader.asked
    assert all(one.startswith("data:image/jpeg;base64,") for one in reader.asked)
    assert not re.search(r"url\(|@import|https?://", made)
    assert reader.tags.count("style") == made.count("</style>") == 1
    assert HOSTILE.lower() in reader.said.lower()
    assert HOSTILE not in made


def test_it_has_what_was_scored() -> None:
    reader = Reader(page(run_of("banana")))
    for said in ("All figures", "Wrong names", "Classes", "The 4 worst regions", "not found"):
        assert said in reader.said
    assert reader.tags.count("img") == 4
    assert reader.tags.count("svg") == 4


def test_a_picture_that_is_not_at_hand_is_said_so() -> None:
    tally = tally_of([pair([], truth())])
    reader = Reader(page(tally))
    assert "img" not in reader.tags
    assert "the picture isn't at hand" in reader.said


def test_two_runs_share_a_page() -> None:
    one, other = run_of("banana"), run_of(HOSTILE)
    reader = Reader(page(one, Compared("run B", score_of(other), compare(one, other))))
    assert "B: run B" in reader.said
    assert "B names 1 true regions nearer than A, 0 further and 4 as near" in reader.said
    assert "+0.200 [+0.200, +0.200]" in reader.said


def test_of_nothing_there_is_a_page() -> None:
    assert "All figures" in page(Tally())


def test_colours_have_the_contrast_that_text_needs() -> None:
    from importlib.resources import files

    style = files("ssa.score").joinpath("page.css").read_text()
    light, dark = (
        dict(re.findall(r"--(\w+): #([0-9a-f]{3,6})\b", block))
        for block in re.findall(r":root \{([^}]*)\}", style)
    )
    for colours in (light, light | dark):
        for ink in ("ink", "soft", "good", "bad", "first", "second"):
            for paper in ("paper", "raised"):
                assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
