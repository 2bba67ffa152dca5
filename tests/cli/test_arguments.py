"""Values of command lines."""

from __future__ import annotations

import argparse

import pytest

from ssa.cli.arguments import positive


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("250", 250), ("007", 7)])
def test_whole_numbers_from_one_on_are_positive(text: str, number: int) -> None:
    assert positive(text) == number


@pytest.mark.parametrize("text", ["0", "-3", "1.5", "1e3", "", "many", "²"])
def test_all_else_is_refused_with_what_came(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="1 or more; got") as refused:
        positive(text)
    assert repr(text) in str(refused.value)
