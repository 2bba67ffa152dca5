"""JSON of others: each value as its type, or an error that names the field."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssa.json_fields import (
    FieldError,
    float_of,
    integer_of,
    is_list,
    list_of,
    object_of,
    objects_of,
    text_of,
    texts_of,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
READERS: list[Callable[[Any, str], Any]] = [
    *(list_of, object_of, objects_of, text_of, texts_of, float_of, integer_of)
]


@given(JSON, st.sampled_from(READERS))
def test_any_value_is_read_or_refused_by_name(value: Any, read: Callable[[Any, str], Any]) -> None:
    with suppress(FieldError):
        read(value, "the field")
        return
    with pytest.raises(FieldError, match="the field"):
        read(value, "the field")


@given(JSON)
def test_numbers_are_finite_and_never_true_or_false(value: Any) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        number = float_of(value, "n")
    except FieldError:
        assert not is_number or not -1e308 < value < 1e308
    else:
        assert is_number
        assert math.isfinite(number)


@pytest.mark.parametrize("value", [2**70 + 1, -3, 0])
def test_whole_numbers_keep_all_their_digits(value: int) -> None:
    assert integer_of(json.loads(str(value)), "n") == value


def test_a_number_that_is_whole_is_an_integer_and_another_is_none() -> None:
    assert integer_of(3.0, "n") == 3
    for wrong in (3.5, True, "3", None, [3], math.nan, math.inf):
        with pytest.raises(FieldError, match=r"^n$"):
            integer_of(wrong, "n")


def test_a_text_is_no_list() -> None:
    assert all(map(is_list, ([], ("a",))))
    assert not any(map(is_list, ("abc", b"abc", {})))
    assert texts_of(["a", "b"], "t") == ("a", "b")
    with pytest.raises(FieldError):
        texts_of("ab", "t")
    with pytest.raises(FieldError):
        objects_of([{}, 3], "o")
