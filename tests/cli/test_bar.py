"""Progress in a log file: a line at the start and the end, none for each step, and no carriage return."""

from __future__ import annotations

import pytest

from ssa.cli.bar import Bar, counted
from ssa.errors import Fault


def test_items_come_through_and_two_lines_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(counted(range(500), 500, "scenes")) == list(range(500))
    assert capsys.readouterr().err == "0 of 500 scenes\n500 of 500 scenes\n"


def test_a_run_in_lines(capsys: pytest.CaptureFixture[str]) -> None:
    bar = Bar()
    bar.listed(5, 1)
    bar.group(2, 30, [])
    bar.group(2, 9, [Fault("x.png", "decode", "is cut short")])
    bar.exporting("coco")
    bar.ended()
    start, fault, end, writing = capsys.readouterr().err.splitlines()
    assert (start, fault, writing) == (
        "1 of 5 pictures",
        "x.png: decode: is cut short",
        "writing coco",
    )
    assert end.startswith("4 of 5 pictures, ")
    assert end.endswith(" masks/s, 1 errors")
