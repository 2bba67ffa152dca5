"""Values of command lines."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from ssa.cli.arguments import folder, positive, writable_file


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("250", 250), ("007", 7)])
def test_whole_numbers_from_one_on_are_positive(text: str, number: int) -> None:
    assert positive(text) == number


@pytest.mark.parametrize("text", ["0", "-3", "1.5", "1e3", "", "many", "²"])
def test_all_else_is_refused_with_what_came(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="1 or more; got") as refused:
        positive(text)
    assert repr(text) in str(refused.value)


def test_a_file_that_can_be_written_is_known_before_the_work(tmp_path: Path) -> None:
    assert writable_file(str(tmp_path / "new.json")) == tmp_path / "new.json"
    for wrong in (tmp_path, tmp_path / "gone" / "new.json"):
        with pytest.raises(argparse.ArgumentTypeError, match="expected a file that can be written"):
            writable_file(str(wrong))


def test_a_folder_is_one_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert folder(str(tmp_path)) == tmp_path
    for name, what in (("gone", "isn't there"), ("file", "is a file")):
        with pytest.raises(argparse.ArgumentTypeError, match=f"which {what}"):
            folder(str(tmp_path / name))
