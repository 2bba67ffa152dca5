"""What is typed becomes inputs, or one line on what is wrong with it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from ssa.cli import given
from ssa.errors import InputError
from ssa.inputs import OPTIONS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("top_k=5", ("top_k", 5)),
        ("top_k=many", ("top_k", "many")),
        ("pred_iou_thresh=0.5", ("pred_iou_thresh", 0.5)),
        ("detail=true", ("detail", True)),
        ("detail=False", ("detail", False)),
        ("detail=1", ("detail", "1")),
        ("image=https://x.org/a=b.png", ("image", "https://x.org/a=b.png")),
        ("image=data:,x", ("image", "data:,x")),
        ("image=@a b.png", ("image", Path("a b.png"))),
        ("vocabulary=car: van", ("vocabulary", "car: van")),
    ],
)
def test_values_follow_the_type_of_the_input(text: str, expected: tuple[str, Any]) -> None:
    name, value = given.assignment(text)
    assert (name, value) == expected
    assert type(value) is type(expected[1])


def test_a_text_is_taken_as_it_stands_in_its_file(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_bytes("\ufeffWagen: Auto\nBär\n".encode())
    read = given.assignment(f"vocabulary=@{tmp_path}/classes.txt")
    assert read == ("vocabulary", "Wagen: Auto\nBär\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("image", "expected -i NAME=VALUE; got -i image"),
        ("prompt=a cat", "there is no input 'prompt'; there are image, output_json,"),
        ("image=a.png", "image is a file: write -i image=@a.png"),
        ("vocabulary=@nowhere.txt", "got nowhere.txt: No such file"),
    ],
)
def test_what_is_no_input_is_told(text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        given.assignment(text)
    assert said in str(caught.value)


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    given.add_input_options(parser.add_argument_group("all"), OPTIONS, {})
    return parser


def test_options_are_those_of_the_table() -> None:
    typed = ["--top-k", "4", "--labels", "none", "--no-parts", "--detail", "--cluster-eps", "0.5"]
    found = vars(options().parse_args(typed))
    assert {name: value for name, value in found.items() if value is not None} == {
        "top_k": 4,
        "labels": "none",
        "parts": False,
        "detail": True,
        "cluster_eps": 0.5,
    }


@pytest.mark.parametrize(
    "typed", ["--top-k=20", "--top-k=0", "--top-k=x", "--pred-iou-thresh=nan", "--labels=all"]
)
def test_values_out_of_range_are_refused(typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        options().parse_args([typed])
    assert caught.value.code == 2
    assert typed.partition("=")[0] in capsys.readouterr().err


def test_the_help_shows_ranges_choices_and_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    text = " ".join(options().format_help().split())
    for part in (
        "(1 to 10; default: 3)",
        "(0 to 100,000,000)",
        "{sam,semantic-sam,phrases}",
        "(default: sam)",
    ):
        assert part in text
