"""From what was counted to figures with flat names, to tables and curves: plain values for JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from ssa.score.calibration import (
    Floats,
    area_under_risk_coverage,
    expected_calibration_error,
    reliability,
    risk_coverage,
)
from ssa.score.open_miou import Likeness
from ssa.score.relations import Level, level_of, similarity
from ssa.score.tally import Sureness, Tally

Figures = dict[str, float | int | None]

MOST_CONFUSIONS = 100
CURVE_POINTS = 200
"""How many pairs of names, and how many points of a curve, are told at most."""

_NAMES = tuple(
    f"names.{which}.{what}"
    for which in ("matched", "all")
    for what in (
        *("exact", "level_1", "level_2", "level_3", "level_4", "level_auc"),
        *("word_iou", "similarity"),
    )
)
RATIOS = (
    *("regions.matched_share", "regions.wrong_share"),
    *("masks.recall_50", "masks.recall_70", "masks.ar_10", "masks.ar_100", "masks.ar_1000"),
    *_NAMES,
    *("parts.found", "parts.named", "parts.attached", "parts.attached_of_found"),
    *("clusters.ari", "clusters.nmi"),
)
"""Figures that are a sum over pictures by a sum over pictures."""

COUNTS = ("regions.true", "regions.found", "regions.matched", "regions.wrong")

LOWER_IS_BETTER = frozenset(
    {"regions.wrong", "regions.wrong_share", "calibration.ece", "calibration.aurc"}
)

_WHY = {
    "regions.wrong": "the truth may not list every region: only one by review does",
    "masks.": "no true region",
    "names.matched.": "no matched region has a true name",
    "names.open_miou_embedding": "no sentence encoder was given: --sentences",
    "names.": "no true region has a name",
    "parts.attached": "the truth has no parts, or what was found has no tree of wholes and parts",
    "parts.": "the truth has no parts",
    "clusters.": "no picture has two matched regions with groups in both, truth and what was found",
    "calibration.": "no answer has a confidence or a margin",
    "regions.matched": "no true region",
}
"""Why a figure is unknown, by how its name begins; the first that fits."""


@dataclass(frozen=True, slots=True)
class Score:
    """A run's score. ``figures`` have flat names, None where unknown, and then ``why`` says why.

    ``classes`` is a row a true class, ``confusions`` a row a pair of names; ``risk`` is the points of the
    curve (coverage, risk), ``bins`` those of the reliability diagram (answers, mean confidence, share right).
    """

    figures: Figures
    why: dict[str, str]
    sureness: str | None
    classes: list[dict[str, str | float | int | None]]
    confusions: list[dict[str, str | int]]
    risk: list[tuple[float, float]]
    bins: list[tuple[int, float, float]]


def score_of(tally: Tally, embedding: Likeness | None = None) -> Score:
    """All figures of what was counted; ``embedding`` is another likeness of words, where there is one."""
    words_ious = tally.words.ious(similarity)
    kind, sureness = sureness_of(tally)
    figures: Figures = {"pictures": len(tally.keys)}
    has_judged = "regions.wrong" in tally.counts
    figures |= {
        name: tally.counts[name] if name != "regions.wrong" or has_judged else None
        for name in COUNTS
    }
    figures |= {name: ratio(tally, name) for name in RATIOS}
    figures["names.open_miou"] = _mean(words_ious.values())
    figures["names.open_miou_embedding"] = (
        None if embedding is None else tally.words.mean_iou(embedding)
    )
    answers = None if sureness is None else (sureness.values, [*map(bool, sureness.right)])
    figures["calibration.answers"] = 0 if sureness is None else len(sureness.values)
    figures["calibration.ece"] = None if answers is None else expected_calibration_error(*answers)
    figures["calibration.aurc"] = None if answers is None else area_under_risk_coverage(*answers)
    return Score(
        figures=figures,
        why={name: _reason(name) for name, value in figures.items() if value is None},
        sureness=kind,
        classes=_classes(tally, words_ious),
        confusions=_confusions(tally),
        risk=[] if answers is None else _thinned(*risk_coverage(*answers)),
        bins=[] if answers is None else reliability(*answers),
    )


def ratio(tally: Tally, name: str) -> float | None:
    """A figure of ``RATIOS``; None where it is over nothing."""
    sums, over = tally.sums(name)
    return float(sums.sum() / over.sum()) if over.sum() else None


def sureness_of(tally: Tally) -> tuple[str | None, Sureness | None]:
    """What says how sure answers were: "confidence" where any has one, else "margin", else nothing."""
    if tally.confidences.values:
        return "confidence", tally.confidences
    return ("margin", tally.margins) if tally.margins.values else (None, None)


def _reason(name: str) -> str:
    return next(reason for start, reason in _WHY.items() if name.startswith(start))


def _classes(
    tally: Tally, word_ious: dict[str, float]
) -> list[dict[str, str | float | int | None]]:
    rows: list[dict[str, str | float | int | None]] = []
    for word, one in sorted(tally.classes.items(), key=lambda item: (-item[1].true, item[0])):
        rows.append(
            {
                "class": word,
                "true": one.true,
                "matched": one.matched,
                "same": one.levels[Level.SAME],
                "synonym": one.levels[Level.SYNONYM],
                "kind": one.levels[Level.KIND],
                "part": one.levels[Level.PART],
                "other": one.levels[Level.OTHER],
                "found": tally.found_words[word],
                "open_iou": word_ious.get(word),
            }
        )
    return rows


def _confusions(tally: Tally) -> list[dict[str, str | int]]:
    most = sorted(tally.confusions.items(), key=lambda item: (-item[1], item[0]))[:MOST_CONFUSIONS]
    return [
        {
            "true": true,
            "found": found,
            "regions": regions,
            "relation": level_of(found or None, true).name.lower(),
        }
        for (true, found), regions in most
    ]


def _thinned(coverage: Floats, risk: Floats) -> list[tuple[float, float]]:
    """Both ends of a curve and points between, evenly by coverage."""
    places = np.unique(np.linspace(0, len(risk) - 1, CURVE_POINTS).round().astype(int))
    return [(float(coverage[place]), float(risk[place])) for place in places]


def _mean(values: Iterable[float]) -> float | None:
    known = [*values]
    return math.fsum(known) / len(known) if known else None
