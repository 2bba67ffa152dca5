"""The score as one HTML file that asks no machine for anything: figures, curves, tables, worst regions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files

from ssa.errors import InputError
from ssa.score.comparing import Comparison
from ssa.score.crops import crop_of
from ssa.score.curves import bar_chart, line_chart, reliability_chart
from ssa.score.figures import LOWER_IS_BETTER, Score
from ssa.score.words import GROUPS, differing, told
from ssa.score.worst import Case

TILES = (
    ("names.all.level_2", "of true regions found and named right"),
    ("names.matched.level_2", "of matched regions named right"),
    ("masks.recall_50", "of true regions found"),
    ("names.open_miou", "open mIoU"),
    ("calibration.ece", "calibration error"),
)
"""The figures to look at first."""

_LEVELS = (("same", 1), ("synonym", 2), ("kind", 3), ("part", 4))


@dataclass(frozen=True, slots=True)
class Compared:
    """Another run's score, what it is called, and what came of holding it against the first."""

    name: str
    score: Score
    comparison: Comparison


def page_of(
    name: str,
    about: Sequence[str],
    score: Score,
    worst: Iterable[Case],
    other: Compared | None = None,
) -> str:
    """The whole page. ``name`` is what was scored, ``about`` lines on against what, and what is missing.

    Whatever comes from labels and names of pictures is escaped. Pictures are read for the worst regions.
    """
    style = files("ssa.score").joinpath("page.css").read_text("utf-8")
    title = f"Score of {name}"
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(title)}</title><style>{style}</style></head><body>",
        f"<h1>{escape(title)}</h1>",
        *(f'<p class="soft">{escape(line)}</p>' for line in about),
        *_legend(name, other),
        *_tiles(score),
        "<h2>Curves</h2>",
        *_charts(score, other),
        "<h2>All figures</h2>",
        *_figures(score, other),
        *_worst(worst, "" if other is None else " of A"),
        *_confusions(score),
        *_classes(score),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _legend(name: str, other: Compared | None) -> Iterator[str]:
    if other is not None:
        change = other.comparison
        yield (
            f'<p><span class="key a"></span> A: {escape(name)} &nbsp; <span class="key b"></span> B: '
            f"{escape(other.name)}</p><p>B names {change.better:,} true regions nearer than A, "
            f"{change.worse:,} further and {change.same:,} as near. Brackets hold 95 % of the differences of "
            f"{change.pictures:,} pictures drawn again with replacement, the same for both.</p>"
        )


def _tiles(score: Score) -> Iterator[str]:
    yield '<div class="tiles">'
    for name, says in TILES:
        value = score.figures[name]
        if value is not None:
            shown = f"{value:.1%}" if says.startswith("of ") else told(value)
            yield f'<div class="tile"><b>{shown}</b><span class="soft">{escape(says)}</span></div>'
    yield "</div>"


def _charts(score: Score, other: Compared | None) -> Iterator[str]:
    yield '<div class="charts">'
    second = None if other is None else other.score
    for which, called in (("matched", "matched"), ("all", "all true")):
        bars = [
            (
                word,
                share,
                None if second is None else second.figures[f"names.{which}.level_{level}"],
            )
            for word, level in _LEVELS
            if (share := score.figures[f"names.{which}.level_{level}"]) is not None
        ]
        if bars:
            said = (
                f"Names of {called} regions: share right at each level, each with those before it"
            )
            yield _figure(bar_chart(bars, said), said)
    if score.risk:
        said = "Risk by coverage: share of wrong names among the surest"
        risk = [] if second is None else second.risk
        yield _figure(line_chart(score.risk, "coverage", "risk", said, risk), said)
        said = f"Reliability: how often names were right by their {score.sureness}"
        yield _figure(reliability_chart(score.bins, said), said)
    yield "</div>"


def _figure(chart: str, said: str) -> str:
    return f"<figure>{chart}<figcaption>{escape(said)}</figcaption></figure>"


def _figures(score: Score, other: Compared | None) -> Iterator[str]:
    yield f'<div class="groups{"" if other is None else " wide"}">'
    for title, rows in GROUPS:
        yield f'<section class="scroll"><h3>{escape(title)}</h3><table>'
        if other is not None:
            yield '<thead><tr><th></th><th class="n">A</th><th class="n">B</th>'
            yield '<th class="n wider">B − A</th><th></th></tr></thead>'
        yield "<tbody>"
        for name, called, says in rows:
            yield _row(name, called, says, score, other)
        yield "</tbody></table></section>"
    yield "</div>"


def _row(name: str, called: str, says: str, score: Score, other: Compared | None) -> str:
    value = score.figures[name]
    cells = [f"<th>{escape(called)}</th>", _number(value)]
    if other is not None:
        cells += [_number(other.score.figures[name]), _change(name, score, other)]
    note = says if value is not None else score.why[name]
    return f'<tr>{"".join(cells)}<td class="says">{escape(note)}</td></tr>'


def _number(value: float | int | None) -> str:
    return f'<td class="n">{told(value)}</td>'


def _change(name: str, score: Score, other: Compared) -> str:
    change = other.comparison.changes.get(name)
    if change is None:
        return f'<td class="n">{differing(score.figures[name], other.score.figures[name])}</td>'
    better = change.low > 0 if name not in LOWER_IS_BETTER else change.high < 0
    worse = change.high < 0 if name not in LOWER_IS_BETTER else change.low > 0
    kind = "n up" if better else "n down" if worse else "n"
    return (
        f'<td class="{kind}">{change.difference:+.3f} [{change.low:+.3f}, {change.high:+.3f}]</td>'
    )


def _confusions(score: Score) -> Iterator[str]:
    if score.confusions:
        yield "<h2>Wrong names</h2>"
        rows = (
            (row["true"], row["found"] or "no name", row["relation"], row["regions"])
            for row in score.confusions
        )
        yield from _table(("true", "found", "relation", "regions"), rows)


def _classes(score: Score) -> Iterator[str]:
    if score.classes:
        yield "<h2>Classes</h2>"
        yield (
            '<p class="soft">True regions of each class, those matched, and how their names are related to '
            "the true one; how often the word was found at all; and the class's IoU in open mIoU.</p>"
        )
        yield from _table(tuple(score.classes[0]), (tuple(row.values()) for row in score.classes))


def _table(
    heads: Sequence[str], rows: Iterable[Sequence[str | float | int | None]]
) -> Iterator[str]:
    first = True
    yield '<div class="scroll"><table>'
    for row in rows:
        numbers = [not isinstance(value, str) for value in row]
        if first:
            cells = (
                f"<th{' class=n' if is_number else ''}>{escape(head.replace('_', ' '))}</th>"
                for head, is_number in zip(heads, numbers, strict=True)
            )
            yield f"<thead><tr>{''.join(cells)}</tr></thead><tbody>"
            first = False
        cells = (
            f"<td>{escape(value)}</td>" if isinstance(value, str) else _number(value)
            for value in row
        )
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table></div>"


def _worst(worst: Iterable[Case], whose: str) -> Iterator[str]:
    cases = [*worst]
    if cases:
        yield f"<h2>The {len(cases)} worst regions{whose}</h2>"
        yield (
            '<p class="soft"><span class="key true"></span> true outline &nbsp; '
            '<span class="key found"></span> found outline</p>'
        )
        yield '<ol class="worst">'
        yield from map(_case, cases)
        yield "</ol>"


def _case(case: Case) -> str:
    try:
        shown = f'<img alt="" src="{crop_of(case)}">'
    except InputError as error:
        shown = f"<span>{escape(str(error))}</span>"
    true = "nothing" if case.true is None else case.true.label or "no name"
    found = "nothing" if case.found is None else case.found.label or "no name"
    facts = [("picture", case.picture), ("what", case.kind), ("true", true), ("found", found)]
    if case.true is not None:
        facts.append(("IoU", f"{case.iou:.2f}"))
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(fact)}</dd>" for name, fact in facts)
    return f'<li><div class="crop">{shown}</div><dl>{rows}</dl></li>'
