"""Calibration: numbers worked out by hand, scikit-learn's curve, and laws."""

from __future__ import annotations

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

PAIRS = st.lists(st.tuples(st.integers(0, 20).map(lambda n: n / 20), st.booleans()), min_size=1)


def columns(pairs: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    sure, right = zip(*pairs, strict=True)
    return np.array(sure), np.array(right)


def test_the_calibration_error_by_hand() -> None:
    # Two bins. Low: 0.1, 0.3; one of two right: |0.5 - 0.2| = 0.3. High: 0.9, 1; both: |1 - 0.95| = 0.05.
    found = expected_calibration_error([0.1, 0.3, 0.9, 1.0], [True, False, True, True], bins=2)
    assert found == pytest.approx(0.5 * 0.3 + 0.5 * 0.05)


def test_the_risk_at_each_coverage_by_hand() -> None:
    # Most confident first: right, wrong, right, wrong. Risks: 0, 1/2, 1/3, 2/4; their mean is 1/3.
    sure, right = [0.2, 0.9, 0.4, 0.6], [False, True, True, False]
    coverage, risk = risk_coverage(sure, right)
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1]
    assert risk == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])
    assert area_under_risk_coverage(sure, right) == pytest.approx(1 / 3)


def test_equal_confidences_share_their_errors() -> None:
    # Each of three stands for 1/3 of an error, whichever comes first.
    assert risk_coverage([0.5, 0.5, 0.5], [True, True, False])[1] == pytest.approx([1 / 3] * 3)


@given(PAIRS)
def test_it_is_what_scikit_learn_bins(pairs: list[tuple[float, bool]]) -> None:
    sure, right = columns(pairs)
    # scikit-learn's bins take their upper ends, ours their lower ones: none of these lies on one.
    sure = sure * 0.98 + 0.011
    true, said = calibration_curve(right, sure, n_bins=10)
    counts = np.bincount((sure * 10).astype(int), minlength=10)
    expected = np.abs(true - said) @ counts[counts > 0] / len(sure)
    assert expected_calibration_error(sure, right, bins=10) == pytest.approx(expected)
    found = reliability(sure, right, bins=10)
    assert [n for n, _, _ in found] == counts[counts > 0].tolist()
    assert [p for _, p, _ in found] == pytest.approx(said)
    assert [q for _, _, q in found] == pytest.approx(true)


@given(PAIRS, st.randoms(use_true_random=False))
def test_the_order_of_names_changes_nothing(
    pairs: list[tuple[float, bool]], random: object
) -> None:
    other = pairs.copy()
    random.shuffle(other)  # type: ignore[attr-defined]
    for measure in (expected_calibration_error, area_under_risk_coverage):
        assert measure(*columns(other)) == pytest.approx(measure(*columns(pairs)))


@given(PAIRS)
def test_the_risk_of_all_is_the_error_rate(pairs: list[tuple[float, bool]]) -> None:
    sure, right = columns(pairs)
    assert risk_coverage(sure, right)[1][-1] == pytest.approx(1 - right.mean())
    assert (
        area_under_risk_coverage(right.astype(float), right)
        <= area_under_risk_coverage(np.full(len(right), 0.5), right) + 1e-12
    )


def test_who_knows_is_sure() -> None:
    assert expected_calibration_error([1.0, 0.0], [True, False]) == 0
    assert np.isnan(expected_calibration_error([], []))
    assert np.isnan(area_under_risk_coverage([], []))
    with pytest.raises(ValueError, match="as many confidences as names"):
        risk_coverage([0.5], [])
