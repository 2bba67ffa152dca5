from __future__ import annotations

from ssa.score.figures import score_of
from ssa.score.tally import Tally
from ssa.score.words import GROUPS, differing, told


def test_every_figure_has_its_words_and_every_word_its_figure() -> None:
    named = [name for _, rows in GROUPS for name, _, _ in rows]
    assert sorted(named) == sorted(score_of(Tally()).figures)


def test_how_figures_are_told() -> None:
    assert [told(value) for value in (None, 1234, 0.5, 1.0, -0.0004)] == [
        *("–", "1,234", "0.500", "1.000", "-0.000"),
    ]


def test_how_differences_are_told() -> None:
    pairs = [(1200, 5), (0.25, 0.5), (1, 0.5), (None, 1), (1, None)]
    assert [differing(*pair) for pair in pairs] == ["-1,195", "+0.250", "-0.500", "", ""]
