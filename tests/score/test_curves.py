from __future__ import annotations

from xml.etree import ElementTree

from ssa.score.curves import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    TOP,
    WIDTH,
    bar_chart,
    line_chart,
    reliability_chart,
)


def elements(chart: str, kind: str, name: str) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(chart)
    return [one for one in root.iter(kind) if one.get("class") == name]


def test_a_curve_goes_from_corner_to_corner() -> None:
    chart = line_chart([(0, 0), (1, 1)], "across", "up", "<said> & done", [(0, 1), (1, 1)])
    (curve,) = elements(chart, "polyline", "curve")
    assert curve.get("points") == (f"{LEFT}.0,{HEIGHT - BOTTOM}.0 {WIDTH - RIGHT}.0,{TOP}.0")
    assert len(elements(chart, "polyline", "other")) == 1
    assert ElementTree.fromstring(chart).get("aria-label") == "<said> & done"


def test_a_bar_is_as_high_as_its_share() -> None:
    one, other = (
        elements(bar_chart([("<a>", 0.5, 0.25)], "said"), "rect", "bar"),
        elements(bar_chart([("<a>", 0.5, 0.25)], "said"), "rect", "bar second"),
    )
    plot = HEIGHT - TOP - BOTTOM
    assert float(one[0].get("height", "")) == plot / 2
    assert float(other[0].get("height", "")) == plot / 4


def test_a_bin_of_more_answers_is_a_larger_circle() -> None:
    chart = reliability_chart([(100, 0.9, 0.8), (1, 0.5, 0.5)], "said")
    large, small = elements(chart, "circle", "dot")
    assert float(large.get("r", "")) > float(small.get("r", ""))
    assert "100 answers: 0.90 sure, 0.80 right" in chart
    assert reliability_chart([], "said").startswith("<svg")
