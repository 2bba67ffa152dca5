from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from ssa.score.calibration import (
    area_under_risk_coverage,
    expected_calibration_error,
    reliability,
    risk_coverage,
)

ANSWERS = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0]), st.booleans()))


def split(answers: list[tuple[float, bool]]) -> tuple[list[float], list[bool]]:
    return [one for one, _ in answers], [right for _, right in answers]


def test_the_error_by_hand() -> None:
    # Two bins. Lower: 0.2 wrong, 0.4 right: |1/2 - 0.3| = 0.2. Upper: 0.5 right, 0.9 right, 1.0 wrong:
    # |2/3 - 0.8| = 0.1333. Weighed: 2/5 * 0.2 + 3/5 * 0.1333 = 0.08 + 0.08 = 0.16.
    found = expected_calibration_error(
        [0.2, 0.4, 0.5, 0.9, 1.0], [False, True, True, True, False], 2
    )
    assert found == pytest.approx(0.16)


def test_sure_and_right_is_no_error_and_sure_and_wrong_is_all_of_it() -> None:
    assert expected_calibration_error([1.0, 1.0], [True, True]) == 0
    assert expected_calibration_error([1.0, 1.0], [False, False]) == 1


@given(ANSWERS.filter(bool))
def test_bins_are_those_of_a_second_implementation(answers: list[tuple[float, bool]]) -> None:
    # Moved off the bins' edges, for scikit-learn gives each bin its upper end and not its lower one.
    confidences = [one * 0.98 + 0.011 for one, _ in answers]
    right = [right for _, right in answers]
    shares, means = calibration_curve(right, confidences, n_bins=15, pos_label=True)
    bins = [one for one in reliability(confidences, right) if one.count]
    assert [one.right / one.count for one in bins] == pytest.approx(shares)
    assert [one.confidence / one.count for one in bins] == pytest.approx(means)
    by_hand = sum(
        one.count * abs(share - mean) for one, share, mean in zip(bins, shares, means, strict=True)
    )
    assert expected_calibration_error(confidences, right) == pytest.approx(by_hand / len(answers))


def test_risk_and_its_area_by_hand() -> None:
    # In order of confidence: right, wrong, right, wrong. Wrong among the first k: 0, 1, 1, 2.
    coverage, risk = risk_coverage([0.9, 0.8, 0.3, 0.1], [True, False, True, False])
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert risk.tolist() == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])
    area = area_under_risk_coverage([0.9, 0.8, 0.3, 0.1], [True, False, True, False])
    assert area == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)


@given(st.lists(st.tuples(st.sampled_from([0.2, 0.7]), st.booleans()), min_size=1, max_size=5))
def test_equals_count_as_the_mean_over_all_their_orders(answers: list[tuple[float, bool]]) -> None:
    risks = []
    for order in permutations(answers):
        wrong = [not right for _, right in sorted(order, key=lambda one: -one[0])]
        risks.append(np.cumsum(wrong) / np.arange(1, len(wrong) + 1))
    assert risk_coverage(*split(answers))[1] == pytest.approx(np.mean(risks, axis=0))


@given(ANSWERS, st.randoms())
def test_the_order_of_answers_is_nothing(answers: list[tuple[float, bool]], random) -> None:
    mixed = [*answers]
    random.shuffle(mixed)
    for measure in (expected_calibration_error, area_under_risk_coverage):
        one, other = measure(*split(answers)), measure(*split(mixed))
        assert one == pytest.approx(other, nan_ok=True)
        assert not answers or -1e-12 <= one <= 1 + 1e-12


@given(ANSWERS.filter(bool))
def test_with_all_covered_the_risk_is_the_share_of_errors(
    answers: list[tuple[float, bool]],
) -> None:
    confidences, right = split(answers)
    assert risk_coverage(confidences, right)[1][-1] == pytest.approx(1 - np.mean(right))


def test_no_answers_have_no_figures() -> None:
    assert math.isnan(expected_calibration_error([], []))
    assert math.isnan(area_under_risk_coverage([], []))
    assert [len(one) for one in risk_coverage([], [])] == [0, 0]


@pytest.mark.parametrize("confidences", [[0.5], [0.5, 1.1], [-0.1, 0.5], [math.nan, 0.5]])
def test_what_is_no_confidence_is_told(confidences: list[float]) -> None:
    for measure in (expected_calibration_error, area_under_risk_coverage, risk_coverage):
        with pytest.raises(ValueError, match="expected"):
            measure(confidences, [True, False])
