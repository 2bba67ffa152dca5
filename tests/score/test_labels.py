from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssa.score.labels import alternatives, normalised, noun_of


@pytest.mark.parametrize(
    ("label", "alike"),
    [
        ("Dog", "dog"),
        ("  a  black   DOG ", "black dog"),
        ("the", "the"),
        ("traffic_lights", "traffic light"),
        ("an apple", "apple"),
        ("dogs on the grass", "dog on the grass"),
        ("men with hats", "man with hats"),
        ("slices of pizza", "slice of pizza"),
        ("chests of drawers", "chest of drawers"),
        ("chest of drawers", "chest of drawers"),
        ("scissors", "scissors"),
        ("T-Shirts", "t-shirt"),
        ("café", "café"),
        ("", ""),
        (" _ ", ""),
    ],
)
def test_differences_that_are_none(label: str, alike: str) -> None:
    assert normalised(label) == alike


@given(st.text(max_size=12) | st.sampled_from(["a an dogs", "mens of", "the the cats with dogs"]))
def test_any_text_is_a_label(label: str) -> None:
    assert normalised(label) == normalised(f" {label.upper().lower()} ") or not label.isascii()
    assert noun_of(normalised(label)) is None or normalised(label)


def test_a_true_label_may_list_several_words() -> None:
    assert alternatives("Bed, double beds") == ("bed, double bed", "bed", "double bed")
    assert alternatives("car;auto, ") == ("car;auto,", "car", "auto")
    assert alternatives("dog") == ("dog",)
    assert alternatives(" ") == ()


@pytest.mark.parametrize(
    ("label", "noun"),
    [
        ("traffic light", "traffic light"),
        ("small traffic light on a pole", "traffic light"),
        ("grey cat", "cat"),
        ("slice of pizza", "slice"),
        ("glass of wine", "glass"),
        ("qwert", None),
        ("", None),
    ],
)
def test_what_wordnet_knows_of_a_label(label: str, noun: str | None) -> None:
    assert noun_of(label) == noun
