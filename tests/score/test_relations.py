from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssa.score.nouns import load_nouns
from ssa.score.relations import Level, level_of, similarity, word_iou, wu_palmer

WORDS = st.sampled_from([*load_nouns().words]) | st.sampled_from(["qwert", "grey cat", ""])


@pytest.mark.parametrize(
    ("found", "true", "level"),
    [
        ("a Dog", "dogs", Level.SAME),
        ("couch", "sofa", Level.SYNONYM),
        ("television", "tv", Level.SYNONYM),
        ("grey cat", "cat", Level.SYNONYM),
        ("animal", "dog", Level.KIND),
        ("poodle", "dog", Level.KIND),
        ("food", "pizza", Level.KIND),
        ("wheel", "car", Level.PART),
        ("chair", "leg", Level.PART),
        ("tree", "forest", Level.PART),
        ("banana", "truck", Level.OTHER),
        ("qwert", "dog", Level.OTHER),
        ("dog", "qwert", Level.OTHER),
        ("qwert", "qwert", Level.SAME),
        (None, "dog", Level.OTHER),
        ("dog", " ", Level.OTHER),
        # What is at the top of the tree is no answer.
        ("entity", "dog", Level.OTHER),
        ("object", "cup", Level.OTHER),
        ("artifact", "cup", Level.OTHER),
        ("organism", "dog", Level.OTHER),
        # A list of words is as good as its nearest.
        ("double bed", "cot; double bed", Level.SAME),
        ("couch", "bench, sofa", Level.SYNONYM),
    ],
)
def test_levels(found: str | None, true: str, level: Level) -> None:
    assert level_of(found, true) == level


def test_similarity_by_hand() -> None:
    # entity, physical entity, object, whole, living thing, organism, animal, chordate, vertebrate, mammal,
    # placental, carnivore: the twelfth. Dog and cat are two steps below it, by canine and feline.
    assert similarity("dog", "cat") == pytest.approx(2 * 12 / (2 * 12 + 2 + 2))
    assert similarity("couch", "sofas") == 1
    assert similarity("qwert", "dog") == similarity(None, "dog") == similarity("dog", "") == 0
    assert similarity("cat", "bench, dog") == similarity("cat", "dog")


def test_words_shared() -> None:
    assert word_iou("Grey cats", "cat") == 1 / 2
    assert word_iou("white cat", "grey cat") == 1 / 3
    assert word_iou("cat", "cats") == 1
    assert word_iou(None, "cat") == word_iou("", "") == 0
    assert word_iou("bed", "cot, bed") == 1


@given(WORDS, WORDS)
def test_both_ways_are_alike_and_within_bounds(one: str, other: str) -> None:
    if not {",", ";"} & {*one, *other}:
        assert level_of(one, other) == level_of(other, one)
        assert similarity(one, other) == pytest.approx(similarity(other, one))
    assert 0 <= similarity(one, other) <= 1
    assert 0 <= word_iou(one, other) <= 1
    if one:
        assert level_of(one, one) == Level.SAME
        assert similarity(one, one) == word_iou(one, one) == 1


@given(st.integers(0, len(load_nouns().lemmas) - 1), WORDS)
def test_a_synonym_is_never_further_than_another_word(place: int, other: str) -> None:
    words = load_nouns().lemmas[place]
    for word in words:
        assert level_of(word, words[0]) <= Level.SYNONYM
        assert similarity(word, words[0]) == 1 >= similarity(other, words[0])


@given(st.integers(0, len(load_nouns().lemmas) - 1))
def test_a_meaning_is_most_like_itself(place: int) -> None:
    assert wu_palmer(load_nouns(), place, place) == 1
