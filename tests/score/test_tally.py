from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import auc

from ssa.score.figures import score_of
from ssa.score.regions import Pair, Region
from ssa.score.relations import Level
from ssa.score.tally import NAMELESS, Sureness, tally_of
from tests.score.drawn import LABELS, PLACES, pair, region, truth

# One of each level: the same, a synonym, a kind, a part, and another word.
NAMES = ("dogs", "sofa", "vehicle", "arm", "banana")


def found() -> list[Region]:
    return [region(place, name) for place, name in zip(PLACES, NAMES, strict=True)]


def figure(name: str, *pairs: Pair) -> float:
    value = score_of(tally_of(pairs)).figures[name]
    assert value is not None
    return value


def test_each_level_holds_those_before_it() -> None:
    tally = tally_of([pair(found(), truth())])
    assert tally.levels == [bytes([1, 2, 3, 4, 5])]
    figures = score_of(tally).figures
    shares = [figures[f"names.matched.level_{n}"] for n in (1, 2, 3, 4)]
    assert shares == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert figures["names.matched.exact"] == 0
    # Trapezoids a third wide: (0.2 + 0.4) / 6 + (0.4 + 0.6) / 6 + (0.6 + 0.8) / 6 = 0.5.
    assert figures["names.matched.level_auc"] == pytest.approx(0.5)
    assert figures["names.matched.level_auc"] == pytest.approx(auc([0, 1 / 3, 2 / 3, 1], shares))
    # Words shared: "dog" alone is the same once its plural is none.
    assert figures["names.matched.word_iou"] == pytest.approx(1 / 5)


def test_what_was_not_found_is_named_wrong_end_to_end() -> None:
    half = pair(found()[:2], truth())
    assert figure("names.matched.level_2", half) == 1
    assert figure("names.all.level_2", half) == pytest.approx(2 / 5)
    assert figure("regions.matched_share", half) == pytest.approx(2 / 5)
    assert tally_of([half]).levels == [bytes([1, 2, 5, 5, 5])]


def test_a_true_region_without_a_name_counts_for_masks_alone() -> None:
    true = [*truth()[:1], region(PLACES[1], None)]
    both = pair(found()[:2], true)
    assert tally_of([both]).levels == [bytes([1, NAMELESS])]
    assert figure("regions.matched", both) == 2
    assert figure("names.all.level_1", both) == 1


def test_a_found_region_without_a_name_is_wrong() -> None:
    nameless = [region(PLACES[0], None)]
    assert figure("names.matched.level_4", pair(nameless, truth())) == 0
    assert score_of(tally_of([pair(nameless, truth())])).confusions[0]["found"] == ""


def test_classes_and_confusions_have_their_counts() -> None:
    score = score_of(tally_of([pair(found(), truth()), pair(found()[3:], truth()[3:], "b.png")]))
    rows = {row["class"]: row for row in score.classes}
    assert [rows[label]["true"] for label in LABELS] == [1, 1, 1, 2, 2]
    assert (rows["person"]["part"], rows["traffic light"]["other"]) == (2, 2)
    assert (rows["dog"]["same"], rows["couch"]["synonym"], rows["car"]["kind"]) == (1, 1, 1)
    assert (rows["dog"]["found"], rows["couch"]["found"]) == (1, 0)
    assert score.confusions == [
        {"true": "person", "found": "arm", "regions": 2, "relation": "part"},
        {"true": "traffic light", "found": "banana", "regions": 2, "relation": "other"},
        {"true": "car", "found": "vehicle", "regions": 1, "relation": "kind"},
    ]


def test_answers_are_those_that_can_be_right_or_wrong() -> None:
    sure = [region(PLACES[0], "dog", confidence=0.9), region((15, 0, 2, 2), "cat", confidence=0.4)]
    one = pair(sure, truth()[:1])
    # What is nothing true is an answer in a review, where somebody has looked, and else not.
    assert [*tally_of([one]).confidences.values] == [0.9]
    judged = tally_of([replace(one, is_judged=True)])
    assert [*judged.confidences.values] == [0.9, 0.4]
    assert [*judged.confidences.right] == [1, 0]
    assert score_of(judged).figures["regions.wrong_share"] == 0.5


def test_what_is_no_sureness_is_left_aside() -> None:
    sureness = Sureness()
    for value in (None, -0.1, 1.1, float("nan"), 1.0):
        sureness.add(value, True)
    assert [*sureness.values] == [1.0]


def test_figures_of_some_pictures_alone_have_their_places() -> None:
    whole = [region(PLACES[0], "car", has_place=True), region(PLACES[1], "wheel", parent=0)]
    pairs = [pair(truth(), truth(), "a"), pair(whole, whole, "b"), pair([], truth(), "c")]
    sums, over = tally_of(pairs).sums("parts.found")
    assert (sums.tolist(), over.tolist()) == ([0, 1, 0], [0, 1, 0])
    assert tally_of(pairs).sums("unheard of")[0].tolist() == [0, 0, 0]


def test_truth_against_itself_is_one() -> None:
    figures = score_of(tally_of([pair(truth(), truth())])).figures
    ones = {name: value for name, value in figures.items() if isinstance(value, float)}
    assert [*ones.values()] == pytest.approx([1.0] * len(ones))
    assert {"names.open_miou", "names.all.exact", "masks.ar_10", "masks.recall_70"} <= set(ones)


LABEL = st.sampled_from([*LABELS, *NAMES, "qwert", None])
FOUND = st.lists(
    st.builds(region, st.sampled_from(PLACES), LABEL, score=st.sampled_from([0.5, 0.9])), max_size=5
)
PAIRS = st.lists(st.builds(pair, FOUND, FOUND), min_size=1, max_size=3)


@given(PAIRS, st.randoms(use_true_random=False))
def test_the_order_of_pictures_and_regions_changes_nothing(pairs: list[Pair], random) -> None:
    pairs = [replace(one, key=str(number)) for number, one in enumerate(pairs)]
    mixed = [
        replace(
            one,
            found=tuple(random.sample(one.found, len(one.found))),
            true=tuple(random.sample(one.true, len(one.true))),
        )
        for one in random.sample(pairs, len(pairs))
    ]
    one, other = score_of(tally_of(pairs)), score_of(tally_of(mixed))
    assert one.figures == pytest.approx(other.figures)
    assert one.why == other.why
    for row, same in zip(one.classes, other.classes, strict=True):
        assert row == pytest.approx(same)
    assert one.confusions == other.confusions


@given(st.sampled_from([("couch", "sofa"), ("car", "auto"), ("person", "soul")]), LABEL)
def test_a_synonym_is_never_worse_than_another_word(
    words: tuple[str, str], other: str | None
) -> None:
    true, synonym = words

    def levels(name: str | None) -> list[float]:
        one = pair([region(PLACES[0], name)], [region(PLACES[0], true)])
        return [figure(f"names.all.level_{level.value}", one) for level in [*Level][1:-1]] + [
            figure("names.open_miou", one)
        ]

    assert all(a >= b for a, b in zip(levels(synonym), levels(other), strict=True))
