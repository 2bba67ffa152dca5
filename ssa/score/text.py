"""The score as a table for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from ssa.score.comparing import Comparison
from ssa.score.figures import Score
from ssa.score.words import GROUPS, differing, told

CONFUSIONS = 10
"""How many pairs of names are told at most."""


def text_of(score: Score, other: Score | None = None, against: Comparison | None = None) -> str:
    """All figures that are known, group by group, with another run's beside them; then the confusions."""
    return "\n".join((*_figures(score, other, against), *_confusions(score)))


def _figures(score: Score, other: Score | None, against: Comparison | None) -> Iterator[str]:
    for title, rows in GROUPS:
        lines = [
            _line(name, called, says, score, other, against)
            for name, called, says in rows
            if score.figures[name] is not None
            or (other is not None and other.figures[name] is not None)
        ]
        if lines:
            yield f"{title}" + (
                "" if other is None else f"{'':{39 - len(title)}}A         B     B - A"
            )
            yield from lines
            yield ""
    if against is not None:
        yield (
            f"Against B: {against.better:,} true regions are named nearer there, {against.worse:,} further, "
            f"{against.same:,} as near; intervals hold 95 % of paired draws of {against.pictures:,} pictures"
        )
        yield ""


def _line(
    name: str,
    called: str,
    says: str,
    score: Score,
    other: Score | None,
    against: Comparison | None,
) -> str:
    line = f"  {called:28}{told(score.figures[name]):>10}"
    if other is None:
        return f"{line}  {says}".rstrip()
    line += f"{told(other.figures[name]):>10}"
    line += f"{differing(score.figures[name], other.figures[name]):>10}"
    change = None if against is None else against.changes.get(name)
    if change is not None:
        line += f"  [{change.low:+.3f}, {change.high:+.3f}]"
    return line.rstrip()


def _confusions(score: Score) -> Iterator[str]:
    if score.confusions:
        yield "Most frequent wrong names"
        for row in score.confusions[:CONFUSIONS]:
            found = _printable(str(row["found"])) or "no name"
            yield f"{row['regions']:>6,}  {_printable(str(row['true']))} → {found}"


def _printable(label: str) -> str:
    """A label on one line, with nothing in it that a terminal would heed."""
    return "".join(one if one.isprintable() else "�" for one in label)
