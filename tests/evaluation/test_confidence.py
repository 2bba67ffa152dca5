"""The figures of confidences: what they are made of, and that promises are counted where they are broken."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.confidence import accepted, report


def names(count: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    """Confidences that say what is true, and which names are right."""
    rng = np.random.default_rng(0)
    chances = rng.beta(4, 0.3, count)
    return chances, rng.random(count) < chances


def test_confidences_that_are_true_beat_margins_that_say_nothing() -> None:
    confidences, right = names()
    found = report(confidences, np.full(len(right), 0.5), right)
    assert found["names"] == 3000
    assert found["margin.aurc"] == pytest.approx(1 - found["right"])
    assert found["confidence.aurc_of_margins"] == pytest.approx(
        found["confidence.aurc"] / found["margin.aurc"]
    )
    assert found["confidence.aurc_of_margins"] < 0.6
    assert found["confidence.ece"] < 0.02


def test_promises_are_kept_and_worth_something() -> None:
    found = accepted(*names())
    assert found["accept.broken"] <= 0.05
    assert found["accept.share"] > 0.2


def test_who_is_never_right_is_never_accepted() -> None:
    confidences, right = names(1000)
    found = accepted(confidences, np.zeros_like(right))
    assert (found["accept.share"], found["accept.broken"]) == (0, 0)
