"""The user's classes as text: what is read, and what is refused with the number of its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssa.config import VocabularyClass
from ssa.errors import InputError
from ssa.labelling.candidates import tidy_labels
from ssa.labelling.labels import load_labels
from ssa.labelling.vocabulary import (
    LONGEST_TEXT,
    MOST_TEXTS,
    UNKNOWN,
    everyday_labels,
    parse_vocabulary,
)

WORD = st.text("abcdefgh ", min_size=1, max_size=12).filter(str.strip)


def texts_of(text: str) -> list[tuple[str, ...]]:
    return [one.texts for one in parse_vocabulary(text).classes]


def test_a_class_is_a_line_with_its_synonyms() -> None:
    (first, second) = parse_vocabulary("car: automobile, Motor  Car\nTraffic light\n").classes
    assert first == VocabularyClass("car", ("car", "automobile", "motor car"))
    assert second == VocabularyClass("traffic light", ("traffic light",))


@pytest.mark.parametrize(
    "text",
    [
        "car:van\ndog",
        "\ufeffcar: van\r\ndog\r\n",
        "# mine\n\n  car : van , ,van,car\n\t# more\n \ndog:",
        "car: van\rdog",
    ],
)
def test_remarks_blanks_and_other_editors_line_ends_change_nothing(text: str) -> None:
    assert texts_of(text) == [("car", "van"), ("dog",)]


@given(st.dictionaries(WORD, st.lists(WORD, max_size=3), min_size=1, max_size=6))
def test_what_is_written_is_read(written: dict[str, list[str]]) -> None:
    expected = [tidy_labels([label, *synonyms]) for label, synonyms in written.items()]
    lines = [f"{label}: {', '.join(synonyms)}" for label, synonyms in written.items()]
    flat = [text for texts in expected for text in texts]
    if len(set(flat)) == len(flat):
        assert texts_of("\n".join(lines)) == expected
    else:
        with pytest.raises(InputError, match="expected each text once"):
            parse_vocabulary("\n".join(lines))


@given(st.text(max_size=60))
def test_any_text_is_a_vocabulary_or_an_input_error(text: str) -> None:
    try:
        classes = parse_vocabulary(text).classes
    except InputError:
        return
    texts = [own for one in classes for own in one.texts]
    assert 1 <= len(texts) == len(set(texts))
    assert all(one.label == one.texts[0] for one in classes)
    assert UNKNOWN not in texts


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("car\n#\nCar ", "'car' is in line 1 and in line 3; keep one"),
        ("car: van\ntruck: lorry, van", "'van' is in line 1 and in line 2"),
        ("dog\n: puppy", "line 2: expected 'label' or 'label: synonym, synonym'; got ': puppy'"),
        ("dog\n\ncat, kitten", "line 3: expected 'label' or .*; got 'cat, kitten'"),
        ("dog\nUnknown", "line 2: 'unknown' is what regions of no class are called"),
        ("dog: unknown", "line 1: 'unknown' is what"),
        ("x" * (LONGEST_TEXT + 1), "line 1: expected texts of at most 100 .*; got 101 characters$"),
        ("dog\0", "line 1: expected .* printable .*; got 4 characters, not all printable"),
        ("", "expected 1 to 2000 labels and synonyms, one class a line; got 0"),
        ("# nothing\n", "got 0"),
        ("\n".join(map(str, range(MOST_TEXTS + 1))), "expected 1 to 2000 .*; got 2001"),
    ],
)
def test_what_is_no_vocabulary_is_refused_with_its_line(text: str, told: str) -> None:
    with pytest.raises(InputError, match=f"vocabulary.*{told}") as caught:
        parse_vocabulary(text)
    assert "\n" not in str(caught.value)


def test_limits_themselves_pass() -> None:
    longest = "x" * LONGEST_TEXT
    assert len(texts_of("\n".join([longest, *map(str, range(MOST_TEXTS - 1))]))) == MOST_TEXTS


def test_everyday_labels_are_both_lists_less_the_vocabularys_own() -> None:
    found = everyday_labels(parse_vocabulary("vehicle: car, Bus\nzebra\nmy own"))
    listed = {*load_labels("coco"), *load_labels("ade20k")}
    assert set(found) == listed - {"car", "bus", "zebra"}
    assert len(found) == len(set(found))
