"""Curves and bars as SVG, drawn by a few functions; colours come from the page that they stand in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

WIDTH, HEIGHT = 360, 260
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 12, 40
"""The drawing, and the room around its plot, in SVG's pixels."""

_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)

Point = tuple[float, float]


def line_chart(
    points: Sequence[Point], across: str, up: str, said: str, others: Sequence[Point] = ()
) -> str:
    """A curve over 0 to 1 both ways, perhaps with another one dashed; ``said`` is what it tells in words."""
    drawn = [_curve(others, "other")] if others else []
    return _chart([*drawn, _curve(points, "curve")], across, up, said)


def reliability_chart(bins: Iterable[tuple[int, float, float]], said: str) -> str:
    """How often answers were right by how sure they were: circles, at best on the line.

    A bin is how many answers, their mean confidence, and the share that is right; more make a larger circle.
    """
    bins = [*bins]
    most = max((count for count, _, _ in bins), default=1)
    dots = [
        f'<circle class="dot" cx="{_x(sure):.1f}" cy="{_y(right):.1f}" '
        f'r="{3 + 7 * (count / most) ** 0.5:.1f}"><title>{count:,} answers: {sure:.2f} sure, '
        f"{right:.2f} right</title></circle>"
        for count, sure, right in bins
    ]
    return _chart([_curve([(0, 0), (1, 1)], "even"), *dots], "confidence", "share right", said)


def bar_chart(bars: Sequence[tuple[str, float, float | None]], said: str) -> str:
    """Shares from 0 to 1 side by side, each perhaps with another run's beside it."""
    step = (WIDTH - LEFT - RIGHT) / max(len(bars), 1)
    drawn = []
    for place, (name, value, other) in enumerate(bars):
        middle = LEFT + step * (place + 0.5)
        wide = step * 0.6 if other is None else step * 0.34
        left = middle - wide / 2 if other is None else middle - wide - 1
        drawn.append(_bar(left, wide, value, "bar"))
        if other is not None:
            drawn.append(_bar(middle + 1, wide, other, "bar second"))
        drawn.append(
            f'<text x="{middle:.1f}" y="{HEIGHT - BOTTOM + 16}" class="mid">{escape(name)}</text>'
        )
    return _chart(drawn, "", "share", said, has_ticks_across=False)


def _bar(left: float, wide: float, value: float, kind: str) -> str:
    top = _y(value)
    return (
        f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" width="{wide:.1f}" '
        f'height="{HEIGHT - BOTTOM - top:.1f}" rx="2"/>'
        f'<text class="mid" x="{left + wide / 2:.1f}" y="{max(top - 4, 10):.1f}">{value:.2f}</text>'
    )


def _curve(points: Sequence[Point], kind: str) -> str:
    path = " ".join(f"{_x(x):.1f},{_y(y):.1f}" for x, y in points)
    return f'<polyline class="{kind}" points="{path}"/>'


def _chart(
    drawn: Sequence[str], across: str, up: str, said: str, has_ticks_across: bool = True
) -> str:
    lines = []
    for tick in _TICKS:
        y = _y(tick)
        lines.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
        lines.append(f'<text class="end" x="{LEFT - 6}" y="{y + 4}">{tick:g}</text>')
        if has_ticks_across:
            lines.append(
                f'<text class="mid" x="{_x(tick)}" y="{HEIGHT - BOTTOM + 16}">{tick:g}</text>'
            )
    middle = (LEFT + WIDTH - RIGHT) / 2
    names = (
        f'<text class="mid" x="{middle}" y="{HEIGHT - 6}">{escape(across)}</text>'
        f'<text class="mid" transform="rotate(-90)" x="{-(TOP + HEIGHT - BOTTOM) / 2}" y="11">'
        f"{escape(up)}</text>"
    )
    return (
        f'<svg role="img" aria-label="{escape(said)}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        + "".join((*lines, *drawn))
        + names
        + "</svg>"
    )


def _x(value: float) -> float:
    return LEFT + value * (WIDTH - LEFT - RIGHT)


def _y(value: float) -> float:
    return TOP + (1 - value) * (HEIGHT - TOP - BOTTOM)
