"""The table of inputs says what ``predict.py`` says to Cog, and nothing else."""

from __future__ import annotations

import inspect
from types import NoneType
from typing import Any, get_args, get_type_hints

import cog
import pytest

from predict import Predictor
from ssa.inputs import INPUTS, InputField

SAID = {
    name: parameter.default
    for name, parameter in inspect.signature(Predictor.predict).parameters.items()
    if name != "self"
}
HINTS = get_type_hints(Predictor.predict)


def field_of(name: str) -> InputField:
    """What predict.py says of an input, in the table's terms."""
    said: Any = SAID[name]
    kinds = [kind for kind in get_args(HINTS[name]) if kind is not NoneType] or [HINTS[name]]
    kind = kinds[0].__mro__[2] if kinds[0] is cog.Path else kinds[0]
    return InputField(
        kind,
        said.description,
        None if name == "image" else said.default,
        NoneType in get_args(HINTS[name]),
        None if said.choices is None else tuple(said.choices),
        said.ge,
        said.le,
        said.max_length,
        INPUTS[name].setting,
    )


def test_both_have_the_same_inputs_in_the_same_order() -> None:
    assert list(INPUTS) == list(SAID)


@pytest.mark.parametrize("name", list(SAID))
def test_both_say_the_same_of_each(name: str) -> None:
    assert INPUTS[name] == field_of(name)


def test_what_goes_in_and_out_are_no_settings() -> None:
    names = [name for name, field in INPUTS.items() if not field.setting]
    assert names == ["image", "output_json", "detail", "legend", "doubtful_below"]


def test_a_number_without_bounds_is_a_mistake_in_the_table() -> None:
    assert INPUTS["top_k"].bounds == (1, 10)
    with pytest.raises(ValueError, match="expected ge and le"):
        _ = InputField(int, "How many.").bounds
