"""The miniatures' vocabularies: each known word is one token, and ids never change between runs."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from transformers import BertTokenizer

from toyworld.tokenizer import (
    END,
    START,
    byte_pairs,
    clip_ids,
    learn_merges,
    world_words,
    write_bert_tokenizer,
)

WORDS = st.lists(st.text("abcde", min_size=1, max_size=6), min_size=1, max_size=12)


@given(WORDS, st.randoms())
def test_merges_depend_on_the_words_and_not_on_their_order(words: list[str], rng: object) -> None:
    shuffled = sorted(words, key=lambda _: rng.random())  # type: ignore[attr-defined]
    assert learn_merges(shuffled) == learn_merges(words)


def test_merges_by_hand() -> None:
    # "an" ends two words and begins none: it is the commonest pair.
    assert learn_merges(["can", "ran", "a"])[0] == ("a", "n</w>")


def test_every_word_of_the_world_is_one_token() -> None:
    vocabulary, _ = byte_pairs()
    assert vocabulary[START] == len(vocabulary) - 2
    assert vocabulary[END] == len(vocabulary) - 1
    for row, word in zip(clip_ids(world_words(), 4), world_words(), strict=True):
        if word.isalpha():
            assert row == [vocabulary[START], vocabulary[word + "</w>"], *[vocabulary[END]] * 2]


def test_an_unknown_word_is_spelt_and_not_lost() -> None:
    vocabulary, _ = byte_pairs()
    (row,) = clip_ids(["xylophone"], 16)
    assert len([i for i in row if i < vocabulary[START]]) > 1


def test_captions_words_are_one_token_each(tmp_path: Path) -> None:
    write_bert_tokenizer(tmp_path)
    tokenizer = BertTokenizer.from_pretrained(tmp_path)
    words = ["a", "black", "wheel", "of", "a", "blue", "car"]
    assert tokenizer.tokenize(" ".join(words)) == words
