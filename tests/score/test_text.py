from __future__ import annotations

from ssa.score.comparing import compare
from ssa.score.figures import score_of
from ssa.score.relations import similarity
from ssa.score.tally import Tally, tally_of
from ssa.score.text import text_of
from tests.score.drawn import PLACES, pair, region, truth


def run_of(name: str) -> Tally:
    return tally_of([pair([region(PLACES[0], name)], truth()[:1])])


def test_known_figures_are_told_and_unknown_ones_are_not() -> None:
    text = text_of(score_of(run_of("banana")))
    assert "  recall at IoU 0.5                1.000  of 1,000 masks a picture" in text
    assert "     1  dog → banana" in text
    assert "Parts" not in text
    assert "nothing true" not in text


def test_two_runs_stand_side_by_side() -> None:
    one, other = run_of("banana"), run_of("dog")
    text = text_of(score_of(one), score_of(other), compare(one, other))
    assert "  the same name                    0.000     1.000    +1.000  [+1.000, +1.000]" in text
    alike = similarity("banana", "dog")
    assert f"  open mIoU                        {alike:.3f}     1.000    {1 - alike:+.3f}\n" in text
    assert "Against B: 1 true regions are named nearer there, 0 further, 0 as near" in text


def test_a_terminal_heeds_nothing_in_a_label() -> None:
    text = text_of(score_of(run_of("\x1b[31mred\u202e\n")))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "dog → �[31mred�" in text
