from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.training import Example

from ssa.errors import WeightsError
from ssa.models.spacy_nouns import SpacyNounExtractor, noun_phrases, whole_phrases
from ssa.weights import SHIPPED_ROOT

VOCAB = spacy.blank("en").vocab

# word, part of speech, index of its head, dependency
Word = tuple[str, str, int, str]

RED_CAR: list[Word] = [
    ("A", "DET", 2, "det"),
    ("Red", "ADJ", 2, "amod"),
    ("Car", "NOUN", 2, "ROOT"),
    ("on", "ADP", 2, "prep"),
    ("the", "DET", 5, "det"),
    ("road", "NOUN", 3, "pobj"),
]


def parsed(words: Sequence[Word], spaces: Sequence[bool] | None = None) -> Doc:
    texts, parts, heads, dependencies = zip(*words, strict=True)
    return Doc(
        VOCAB,
        words=list(texts),
        spaces=list(spaces) if spaces else None,
        pos=list(parts),
        heads=list(heads),
        deps=list(dependencies),
    )


def test_the_phrase_without_its_article_then_its_head() -> None:
    assert noun_phrases(parsed(RED_CAR)) == ("red car", "car", "road")


def test_a_name_comes_once_where_it_first_was() -> None:
    words: list[Word] = [
        ("a", "DET", 1, "det"),
        ("car", "NOUN", 1, "ROOT"),
        ("and", "CCONJ", 1, "cc"),
        ("red", "ADJ", 4, "amod"),
        ("car", "NOUN", 1, "conj"),
    ]
    assert noun_phrases(parsed(words)) == ("car", "red car")


def test_pronouns_are_no_names() -> None:
    words: list[Word] = [
        ("it", "PRON", 1, "nsubj"),
        ("has", "VERB", 1, "ROOT"),
        ("its", "PRON", 3, "poss"),
        ("wheels", "NOUN", 1, "dobj"),
    ]
    assert noun_phrases(parsed(words)) == ("wheels",)


def test_an_owner_stays() -> None:
    words: list[Word] = [
        ("the", "DET", 1, "det"),
        ("car", "NOUN", 3, "poss"),
        ("'s", "PART", 1, "case"),
        ("wheel", "NOUN", 3, "ROOT"),
    ]
    assert noun_phrases(parsed(words, [True, False, True, False])) == ("car's wheel", "wheel")


def test_how_many_is_no_part_of_the_name() -> None:
    words: list[Word] = [
        ("all", "DET", 3, "predet"),
        ("the", "DET", 3, "det"),
        ("two", "NUM", 3, "nummod"),
        ("dogs", "NOUN", 3, "ROOT"),
    ]
    assert noun_phrases(parsed(words)) == ("dogs",)


def test_a_number_alone_is_no_name() -> None:
    assert noun_phrases(parsed([("two", "NUM", 0, "ROOT")])) == ()


def test_space_inside_a_phrase_collapses() -> None:
    words: list[Word] = [
        ("red", "ADJ", 2, "amod"),
        (" \n ", "SPACE", 0, "dep"),
        ("car", "NOUN", 2, "ROOT"),
    ]
    assert noun_phrases(parsed(words)) == ("red car", "car")


def test_an_empty_text_has_no_names() -> None:
    assert noun_phrases(Doc(VOCAB)) == ()


CHUNKS = st.lists(
    st.tuples(
        st.lists(
            st.sampled_from([("The", "DET"), ("two", "NUM"), ("her", "PRON"), ("Red", "ADJ")])
        ),
        st.sampled_from(["Car", "dog", "Tree"]),
    ),
    min_size=1,
    max_size=5,
)


@given(CHUNKS)
def test_names_are_distinct_plain_and_end_with_their_head(
    chunks: list[tuple[list[tuple[str, str]], str]],
) -> None:
    words: list[Word] = []
    for before, noun in chunks:
        head = len(words) + len(before)
        words += [(text, part, head, "dep") for text, part in before]
        words.append((noun, "NOUN", head, "ROOT"))
    names = noun_phrases(parsed(words))
    heads = {noun.lower() for _, noun in chunks}
    assert heads <= set(names)
    assert len(set(names)) == len(names)
    for name in names:
        assert name == " ".join(name.lower().split())
        assert name.split()[-1] in heads
        assert name.split()[0] in heads | {"red"} or "red" in name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline trained on two sentences, saved as spaCy's own are."""
    path = tmp_path_factory.mktemp("nouns")
    nlp = spacy.blank("en")
    nlp.add_pipe("morphologizer")
    nlp.add_pipe("parser", config={"min_action_freq": 1})
    sky: list[Word] = [("the", "DET", 1, "det"), ("sky", "NOUN", 1, "ROOT")]
    docs = [parsed(words) for words in (RED_CAR, sky)]
    examples = [Example(nlp.make_doc(doc.text), doc) for doc in docs]
    spacy.util.fix_random_seed(0)
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(40):
        nlp.update(examples, sgd=optimizer)
    nlp.to_disk(path)
    return path


def test_captions_in_order_each_with_its_own_names(folder: Path) -> None:
    extractor = SpacyNounExtractor.load(folder)
    assert extractor.extract(["A Red Car on the road", "", "the sky"]) == [
        ("red car", "car", "road"),
        (),
        ("sky",),
    ]
    assert extractor.extract([]) == []


def test_a_pipeline_without_a_parser_is_refused(tmp_path: Path) -> None:
    spacy.blank("en").to_disk(tmp_path)
    with pytest.raises(WeightsError, match="need a pipeline with a parser"):
        SpacyNounExtractor.load(tmp_path)


def test_a_folder_without_a_pipeline_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"nouns: .* can't be loaded"):
        SpacyNounExtractor.load(tmp_path)


def test_whole_phrases_stand_as_they_are_without_their_heads() -> None:
    assert whole_phrases(parsed(RED_CAR)) == ("a red car", "the road")
    assert whole_phrases(Doc(VOCAB)) == ()


def test_the_miniature_takes_either_rule() -> None:
    extractor = SpacyNounExtractor.load(SHIPPED_ROOT / "tiny" / "nouns")
    captions = ["a red car on the road"]
    assert extractor.extract(captions) == [("red car", "car", "road")]
    assert extractor.extract(captions, whole=True) == [("a red car", "the road")]
