"""What a record keeps of a caption is one line of visible characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssa.labelling.captions import LONGEST_CAPTION, one_line


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("a red car on a road", "a red car on a road"),
        ("- dog\n- cat\r\n\tbird ", "- dog - cat bird"),
        ("dog\x1b[31m\x00, c\u202eat\u200b", "dog[31m, cat"),
        ("\ud800half", "half"),
        ("犬、café …", "犬、café …"),
        ("", ""),
    ],
)
def test_what_is_kept(said: str, kept: str) -> None:
    assert one_line(said) == kept


@given(st.text(max_size=40).map(lambda text: text * 30))
def test_it_is_one_short_line_that_can_be_written_down(said: str) -> None:
    kept = one_line(said)
    assert len(kept) <= LONGEST_CAPTION
    assert len(kept.splitlines()) <= 1
    assert kept.isprintable()
    assert kept.encode().decode() == kept  # no half of a character
    assert one_line(kept) == kept
