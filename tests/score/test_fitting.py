"""Fitting: what was put into made-up regions is found again, and what can't be fitted is told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ssa.errors import InputError
from ssa.score.fitting import LEAST_OF_EACH, fit_confidence
from ssa.types import Annotation, Evidence
from tests.score.made_up import judged, named


def test_the_probability_that_made_the_names_is_found_again() -> None:
    fitted = fit_confidence(*judged(4000))
    others, _ = judged(200, seed=1)
    expected = [one.evidence.ranking for one in others]
    clips = [next(s.score for s in own if s.label == "cat") for own in expected]
    found = [fitted.of(one) for one in others]
    assert np.abs(np.array(found, np.float64) - clips).max() < 0.1
    assert np.abs(np.array(found, np.float64) - clips).mean() < 0.03


def test_the_order_of_regions_changes_nothing() -> None:
    regions, right = judged(300)
    order = np.random.default_rng(2).permutation(300)
    again = fit_confidence([regions[i] for i in order], [right[i] for i in order])
    assert np.allclose(again.weights, fit_confidence(regions, right).weights, atol=1e-3)


def test_what_is_the_same_everywhere_is_left_out() -> None:
    fitted = fit_confidence(*judged(200))
    assert "stability" not in fitted.names
    assert "clip" in fitted.names
    assert min(fitted.scales) > 0
    assert fitted.regions == 200


def test_regions_that_other_stages_spoke_of_are_left_aside() -> None:
    regions, right = judged(200)
    odd = [Annotation(named().proposal, "cat", ("cat",), Evidence())] * 50
    assert fit_confidence([*regions, *odd], [*right, *[True] * 50]).regions == 200


@pytest.mark.parametrize("wrong", [0, LEAST_OF_EACH - 1])
def test_too_few_wrong_names_are_told(wrong: int) -> None:
    regions, _ = judged(100)
    right = [index >= wrong for index in range(100)]
    with pytest.raises(InputError, match=f"got {100 - wrong} and {wrong}; review more"):
        fit_confidence(regions, right)


def test_without_evidence_the_way_out_is_told() -> None:
    bare = [replace(named(), evidence=Evidence())] * 40
    with pytest.raises(InputError, match="annotate with --detail"):
        fit_confidence(bare, [True] * 40)


def test_without_reviews_the_way_to_them_is_told() -> None:
    with pytest.raises(InputError, match="got none; review some first"):
        fit_confidence([], [])
