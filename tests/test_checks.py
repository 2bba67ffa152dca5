"""Values from outside: those within bounds pass, others are told of in one line that repeats no path."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssa.checks import checked_bool, checked_number, checked_text, shown_text
from ssa.errors import InputError

ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())


@given(ANYTHING)
def test_any_value_is_what_it_must_be_or_an_input_error(value: Any) -> None:
    for check in (
        lambda: checked_bool("x", value),
        lambda: checked_number("x", value, int, 0, 9),
        lambda: checked_number("x", value, float, 0, 9),
        lambda: checked_text("x", value, ["one", "two"], None),
        lambda: checked_text("x", value, None, 5),
    ):
        try:
            assert check() == value
        except InputError as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017 - either is right


def test_a_whole_number_may_come_as_a_float_and_the_other_way_round() -> None:
    assert repr(checked_number("x", 3.0, int, 1, 5)) == "3"
    assert repr(checked_number("x", 3, float, 1, 5)) == "3.0"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("cats", "must be one of one, two; got 'cats'"),
        ("/etc/hostname", "got a value of type str"),
        ("x" * 41, "got a value of type str"),
        (None, "got nothing"),
        ([], "got a value of type list"),
    ],
)
def test_a_choice_that_is_none_is_told_with_the_choices(value: Any, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        checked_text("x", value, ["one", "two"], None)


def test_a_text_too_long_is_refused_without_being_repeated() -> None:
    with pytest.raises(InputError, match="x must be a text of at most 5 characters; got a value"):
        checked_text("x", "y" * 10**6, None, 5)
    assert checked_text("x", "/five", None, 5) == "/five"


def test_words_are_shown_and_paths_are_not() -> None:
    assert [shown_text(one) for one in ("1;3", "a/b", "a\\b", "a\nb")] == [
        "'1;3'",
        "a value of type str",
        "a value of type str",
        r"'a\nb'",
    ]
