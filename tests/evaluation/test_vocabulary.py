"""The yardstick of vocabularies: which names count as right, what is left out, and the means over draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from fakes import FakeProposer, stages

from evaluation.__main__ import parser
from evaluation.vocabulary import (
    GIVEN,
    Evaluation,
    Kinds,
    draw_kinds,
    parse_kinds,
    vocabulary_without,
)
from ssa.config import Settings
from ssa.errors import InputError
from ssa.types import BoolMask, RGBImage, ScoredLabel
from toyworld.kinds import KINDS
from toyworld.scenes import Region, Scene

KINDS_SEEN = ("dog", "kite", "car")
SIDE = 20


@dataclass
class Told:
    """Is sure of the text that it was told for a crop of this colour; else of the first."""

    texts: Mapping[int, str]

    def rank(
        self, crops: Sequence[RGBImage], candidates: Sequence[Sequence[str]]
    ) -> list[tuple[ScoredLabel, ...]]:
        return [
            self._rank(self.texts.get(int(c.max())), own)
            for c, own in zip(crops, candidates, strict=True)
        ]

    def _rank(self, best: str | None, texts: Sequence[str]) -> tuple[ScoredLabel, ...]:
        first = best if best in texts else texts[0]
        rest = [ScoredLabel(text, 0.0) for text in texts if text != first]
        return (ScoredLabel(str(first), 1.0), *rest)


def square(number: int) -> BoolMask:
    mask = np.zeros((SIDE, 3 * SIDE), np.bool_)
    mask[2:-2, SIDE * number + 2 : SIDE * (number + 1) - 2] = True
    return mask


def scene() -> Scene:
    """Three things, each of its own grey, and one that is hardly to be seen."""
    image = np.zeros((SIDE, 3 * SIDE, 3), np.uint8)
    regions = []
    for number, kind in enumerate(KINDS_SEEN):
        image[square(number)] = number + 1
        regions.append(Region(kind, "object", None, square(number), 1.0, None, None))
    hidden = replace(regions[0], visible=0.2)
    maps = np.zeros(image.shape[:2], np.uint8)
    return Scene(image, (*regions, hidden), maps, maps)


def figures_of(
    texts: Sequence[str], left_out: Mapping[str, Kinds], masks: str = "truth", found: int = 3
) -> dict[str, float]:
    doubles = replace(
        stages([]),
        ranker=Told(dict(enumerate(texts, 1))),
        proposers={"sam": FakeProposer([square(number) for number in range(found)])},
    )
    evaluation = Evaluation(doubles, Settings(), left_out, masks)
    evaluation.see(scene())
    return evaluation.report()


def test_right_names_and_rightly_unknown_score_one() -> None:
    figures = figures_of(["puppy", "kite", "car"], {GIVEN: ("kite",)})
    assert figures["vocabulary.named_rightly"] == figures["vocabulary.left_out_unknown"] == 1
    assert figures["vocabulary.falsely_unknown"] == 0
    assert figures["vocabulary.ms_per_region"] > 0
    assert figures["open_vocabulary.ms_per_region"] > 0


def test_wrong_names_false_unknowns_and_forced_names_are_told_apart() -> None:
    figures = figures_of(["cat", "bird", "zebra"], {GIVEN: ("kite",)})
    assert figures["vocabulary.named_rightly"] == figures["vocabulary.left_out_unknown"] == 0
    assert figures["vocabulary.falsely_unknown"] == 0.5


def test_draws_count_alike() -> None:
    left_out = {GIVEN: ("kite",), "0": ("dog", "car"), "1": ("tent",)}
    figures = figures_of(["dog", "kite", "zebra"], left_out)
    # The kite is right in both draws; the car that looks like a zebra is unknown, wrongly in the second.
    assert figures["vocabulary.draws.named_rightly"] == pytest.approx((1 + 2 / 3) / 2)
    assert figures["vocabulary.draws.falsely_unknown"] == pytest.approx((0 + 1 / 3) / 2)
    # In the second draw no region is of a kind left out.
    assert figures["vocabulary.draws.left_out_unknown"] == 1


def test_of_sams_masks_those_count_that_are_a_region() -> None:
    figures = figures_of(["dog", "kite", "cat"], {GIVEN: ("kite",)}, masks="sam", found=2)
    assert figures["vocabulary.named_rightly"] == 1


def test_the_vocabulary_is_the_worlds_less_what_is_left_out() -> None:
    texts = {one.label: one.texts for one in vocabulary_without(("kite", "tent")).classes}
    assert set(texts) == {k.name for k in KINDS.values() if k.role != "part"} - {"kite", "tent"}
    assert texts["dog"] == ("dog", "puppy")
    # A vehicle is a car, a bus or a truck.
    assert texts["car"] == ("car", "automobile")


def test_draws_repeat_by_their_seed_and_are_of_objects() -> None:
    draws = draw_kinds(5, 3, 3)
    assert draws == draw_kinds(5, 3, 3) != draw_kinds(5, 4, 3)
    assert all(KINDS[kind].role == "object" for kinds in draws.values() for kind in kinds)
    assert all(len(set(kinds)) == 3 for kinds in draws.values())


def test_kinds_are_read_and_others_refused() -> None:
    assert parse_kinds("kite, stop sign") == ("kite", "stop sign")
    for text in ("sky", "kite,", "zebra"):
        with pytest.raises(InputError, match="left-out kinds must be of person, car"):
            parse_kinds(text)


def test_it_is_a_command() -> None:
    arguments = parser().parse_args(["vocabulary", "--leave-out", "dog", "--masks", "sam"])
    assert (arguments.leave_out, arguments.masks, arguments.scenes) == ("dog", "sam", 100)
