from __future__ import annotations

import pytest

from ssa.score.calibration import area_under_risk_coverage, expected_calibration_error
from ssa.score.figures import CURVE_POINTS, RATIOS, score_of
from ssa.score.tally import Tally, tally_of
from tests.score.drawn import PLACES, pair, region, truth


def test_of_nothing_all_is_unknown_and_it_says_why() -> None:
    score = score_of(Tally())
    assert all(score.figures[name] is None for name in RATIOS)
    assert set(score.why) == {name for name, value in score.figures.items() if value is None}
    assert all(score.why.values())
    assert score.figures["pictures"] == score.figures["regions.true"] == 0
    assert score.why["regions.wrong"].endswith("only one by review does")
    assert score.why["names.open_miou_embedding"].endswith("--sentences")


def test_masks_by_hand() -> None:
    # Of four true boxes of 10 × 4: one found whole, one but for a row (0.75), one by half (0.5), one not.
    true = [region((0, top, 10, 4)) for top in (0, 4, 8, 12)]
    found = [region((0, 0, 10, 4)), region((0, 4, 10, 3)), region((0, 8, 10, 2))]
    figures = score_of(tally_of([pair(found, true)])).figures
    assert figures["masks.recall_50"] == 3 / 4
    assert figures["masks.recall_70"] == 2 / 4
    # 0.5: 3; 0.55 to 0.75: 2 each; 0.8 to 0.95: 1 each. (3 + 5 · 2 + 4 · 1) / 10 / 4.
    assert figures["masks.ar_10"] == pytest.approx(17 / 40)


def test_confidences_come_before_margins() -> None:
    found = [
        region(PLACES[0], "dog", confidence=0.8, margin=0.1),
        region(PLACES[1], "banana", confidence=0.6, margin=0.3),
    ]
    score = score_of(tally_of([pair(found, truth()[:2])]))
    assert score.sureness == "confidence"
    answers = [0.8, 0.6], [True, False]
    assert score.figures["calibration.ece"] == expected_calibration_error(*answers)
    assert score.figures["calibration.aurc"] == area_under_risk_coverage(*answers)
    assert score.risk == [(0.5, 0.0), (1.0, 0.5)]
    assert score.bins == [(1, 0.6, 0.0), (1, 0.8, 1.0)]
    margins = [region(PLACES[0], "dog", margin=0.1)]
    assert score_of(tally_of([pair(margins, truth())])).sureness == "margin"


def test_a_long_curve_is_told_by_some_of_its_points() -> None:
    tally = Tally()
    for number in range(1000):
        tally.margins.add(1 - number / 1000, number % 2 == 0)
    risk = score_of(tally).risk
    assert len(risk) == CURVE_POINTS
    assert (risk[0], risk[-1]) == ((0.001, 0.0), (1.0, 0.5))


def test_another_likeness_of_words_is_told_beside() -> None:
    tally = tally_of([pair([region(PLACES[0], "banana")], truth()[:1])])
    assert score_of(tally, lambda *_: 0.25).figures["names.open_miou_embedding"] == 0.25
