"""What labels are called instead, from lines and back to them."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import proposal
from hypothesis import given
from hypothesis import strategies as st

from ssa.errors import InputError
from ssa.labelling.aliases import NO_ALIASES, Aliases, aliases_of, parse_aliases
from ssa.types import Annotation, Evidence

CATS = parse_aliases("# merge\ncat: black cat, Kitty\nfelis: lynx\ndog\n")


def test_labels_are_merged_and_renamed() -> None:
    assert dict(CATS.names) == {"black cat": "cat", "kitty": "cat", "lynx": "felis"}
    assert [CATS.of(label) for label in ("black  Cat", "cat", "dog", "", " ")] == [
        "cat", "cat", "dog", "", " ",
    ]  # fmt: skip


def test_all_names_of_a_region_follow_and_what_was_said_of_it_stays() -> None:
    evidence = Evidence(caption="a kitty", noun_phrases=("kitty",))
    mask = proposal(np.ones((2, 2), np.bool_))
    found = Annotation(mask, "kitty", ("kitty", "cat", "dog"), evidence, part_of="lynx")
    named = CATS.renamed(found)
    assert (named.class_name, named.class_proposals, named.part_of) == (
        "cat",
        ("cat", "dog"),
        "felis",
    )
    assert named.evidence == evidence
    assert CATS.renamed(Annotation(mask, None)) == Annotation(mask, None)
    assert NO_ALIASES.renamed(found) is found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cat: dog\ndog: cat\n", "aliases: expected each text once"),
        ("a, b: c", "aliases, line 1: expected 'label'"),
        ("cat: unknown", "aliases, line 1: 'unknown'"),
        ("# nothing", "aliases: expected 1 to"),
    ],
)
def test_what_names_nothing_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_aliases(text)


@given(
    st.dictionaries(
        st.text("abc ", min_size=1).map(str.strip).filter(bool), st.sampled_from(["x", "y z"])
    )
)
def test_what_is_written_is_read(names: dict[str, str]) -> None:
    tidy = {" ".join(label.split()): name for label, name in names.items()}
    if tidy:
        assert parse_aliases(Aliases(tidy).text) == Aliases(tidy)


@given(st.dictionaries(st.text(max_size=6), st.text("XYZ,:#", max_size=6)))
def test_what_no_line_can_hold_is_left_out(names: dict[str, str]) -> None:
    lower = {label: name.lower() for label, name in names.items() if label not in "xyz"}
    text = Aliases(lower).text
    if text and not {name.lower() for name in names.values()} & set(lower):
        assert parse_aliases(text).names.items() <= lower.items()
    assert Aliases({"a,b": "x", "a": "x: y", "b": "x"}).text == "x: b\n"


def test_renames_are_aliases() -> None:
    assert aliases_of([("Black Cat", "cat"), ("", "x")]).names == {"black cat": "cat"}
