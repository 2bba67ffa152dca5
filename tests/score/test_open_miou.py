from __future__ import annotations

import pytest

from ssa.score.open_miou import WordPixels, word_of
from ssa.score.relations import similarity
from tests.score.drawn import PLACES, pair, region, truth


def words_of(*pairs: object) -> WordPixels:
    words = WordPixels()
    for one in pairs:
        words.add(one)  # type: ignore[arg-type]
    return words


def test_it_is_the_formula_worked_out_by_hand() -> None:
    # True: 40 pixels of dog, 40 of cat. Found: 30 of dog called dog and 10 called cat; of cat 20 called wolf
    # (alike 0.5) and 20 nothing. With S(cat, dog) = 0.2:
    # dog: TP = 30 + 10 · 0.2 = 32; wrong in its column 10 · 0.8 = 8; nothing else is called dog:
    #      32 / (32 + 8 + 32 - 32) = 0.8.
    # cat: TP = 20 · 0.5 = 10; column 20 · 0.5 + 20 = 30; row: dog called cat 10 · 0.8 = 8:
    #      10 / (10 + 30 + 10 + 8 - 10) = 10 / 48.
    words = WordPixels()
    words.counts.update(
        {("dog", "dog"): 30, ("cat", "dog"): 10, ("wolf", "cat"): 20, ("", "cat"): 20}
    )
    likeness = {("cat", "dog"): 0.2, ("wolf", "cat"): 0.5}
    ious = words.ious(lambda found, true: likeness[found, true])
    assert ious == pytest.approx({"dog": 0.8, "cat": 10 / 48})
    assert words.mean_iou(lambda *both: likeness[both]) == pytest.approx((0.8 + 10 / 48) / 2)


def test_with_no_word_like_another_it_is_the_plain_mean_iou() -> None:
    words = WordPixels()
    words.counts.update({("a", "a"): 6, ("b", "a"): 2, ("a", "b"): 1, ("b", "b"): 3})
    # a: 6 / (6 + 2 + 1); b: 3 / (3 + 1 + 2)
    assert words.ious(lambda *_: 0.0) == pytest.approx({"a": 6 / 9, "b": 3 / 6})


def test_pixels_are_counted_where_the_truth_has_a_word() -> None:
    # A dog of 10 × 4, found but for its last row; what is called a cat lies where nothing is true.
    found = [
        region((0, 0, 10, 3), "Dogs"),
        region((12, 10, 5, 5), "cat"),
        region((0, 0, 9, 9), None),
    ]
    true = [region((0, 0, 10, 4), "a dog"), region((12, 10, 9, 5), None)]
    assert words_of(pair(found, true)).counts == {("dog", "dog"): 30, ("", "dog"): 10}


def test_smaller_regions_lie_on_larger_ones() -> None:
    true = [region((0, 0, 10, 4), "dog"), region((0, 0, 2, 4), "ear")]
    counts = words_of(pair(true[::-1], true)).counts
    assert counts == {("dog", "dog"): 32, ("ear", "ear"): 8}


def test_truth_against_itself_is_one_and_nothing_is_none() -> None:
    assert words_of(pair(truth(), truth())).mean_iou(similarity) == 1
    assert words_of(pair([], truth())).mean_iou(similarity) == 0
    assert words_of(pair(truth(), [])).mean_iou(similarity) is None


def test_a_list_of_words_counts_as_its_first() -> None:
    assert word_of("Beds, double bed") == "bed"
    assert word_of("dog") == "dog"
    assert word_of(" ") == ""
    true = [region(PLACES[0], "bed, double bed")]
    assert words_of(pair([region(PLACES[0], "bed")], true)).mean_iou(similarity) == 1
