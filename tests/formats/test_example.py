"""What a picture's file is called where formats speak of it, and what its regions are known by."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from example_pictures import example
from hypothesis import given, settings
from hypothesis import strategies as st

from ssa.formats.example import Example, Mark, Reviewed
from ssa.types import TreeNode
from tests.sources.made_up import MASKS, found, make_folder

ALL = np.ones((4, 6), np.bool_)


def named(key: str, file_name: str) -> tuple[str, str]:
    picture = Example(key, file_name, 2, 2, ())
    return picture.picture_name, picture.picture_stem


@pytest.mark.parametrize(
    ("key", "file_name", "name", "stem"),
    [
        ("sa/sa_1", "sa_1.jpg", "sa/sa_1.jpg", "sa/sa_1"),
        ("photos/x/dog.jpg", "x/dog.jpg", "photos/x/dog.jpg", "photos/x/dog"),
        ("dog-2.JPG", "dog.JPG", "dog-2.JPG", "dog-2"),
        ("tar/7.Jpeg", "7.jpeg", "tar/7.Jpeg", "tar/7"),
        ("sa/frame.000", "frame.000.png", "sa/frame.000.png", "sa/frame.000"),
        ("sa/x.jpg", "x.jpg.jpg", "sa/x.jpg.jpg", "sa/x.jpg"),
        ("p/lon%-0123", "long name.webp", "p/lon%-0123.webp", "p/lon%-0123"),
        ("p/scan", "scan", "p/scan", "p/scan"),
    ],
)
def test_the_suffix_is_the_pictures_own(key: str, file_name: str, name: str, stem: str) -> None:
    assert named(key, file_name) == (name, stem)


STEMS = st.lists(
    st.from_regex(r"[ab](\.(jpg|000))?", fullmatch=True), min_size=1, max_size=6, unique=True
)


@given(STEMS, st.sampled_from((".jpg", ".JPG", ".png")), st.booleans())
@settings(max_examples=40, deadline=None)
def test_every_picture_found_in_a_folder_has_its_own_name(
    stems: list[str], suffix: str, with_masks: bool
) -> None:
    names = {stem + suffix for stem in stems}
    files = dict.fromkeys(names, b"") | ({f"{s}.json": MASKS for s in stems} if with_masks else {})
    with tempfile.TemporaryDirectory() as folder:
        items, faults = found(make_folder(Path(folder) / "sa", files))
    assert not faults
    assert {named(item.key, item.file_name)[0] for item in items} == {f"sa/{n}" for n in names}
    assert all((item.masks is not None) == with_masks for item in items)


def test_regions_without_marks_are_known_by_their_places() -> None:
    picture = example("a/b.jpg", [ALL, ALL])
    assert [mark for _, mark in picture.marked] == [Mark(0), Mark(1)]
    assert picture.without_rejected() is picture


def test_without_the_rejected_parts_go_to_the_whole_above() -> None:
    whole, part = example("a/b.jpg", [ALL, ALL]).annotations
    nodes = (TreeNode(None, 0), TreeNode(0, 1), TreeNode(1, 2))
    tree = tuple(
        replace(one, node=node) for one, node in zip((whole, part, part), nodes, strict=True)
    )
    marks = (Mark(5), Mark(6, "rejected"), Mark("1.0", "unsure"))
    left = Example("a/b.jpg", "b.jpg", 4, 6, tree, marks=marks).without_rejected()
    assert left.marks == (Mark(5), Mark("1.0", "unsure"))
    assert [one.node for one in left.annotations] == [TreeNode(None, 0), TreeNode(0, 1)]


def test_without_the_doubtful_stays_what_is_likely_or_was_said_by_a_person() -> None:
    confidences = (0.9, 0.5, None, 0.5, None, 0.1)
    reviews: tuple[Reviewed, ...] = ("none", "none", "none", "accepted", "corrected", "unsure")
    picture = example("a/b.jpg", [ALL] * 6)
    annotations = tuple(
        replace(one, confidence=own)
        for one, own in zip(picture.annotations, confidences, strict=True)
    )
    marks = tuple(Mark(place, said) for place, said in enumerate(reviews))
    whole = replace(picture, annotations=annotations, marks=marks)
    assert [mark.region for mark in whole.without_doubtful(0.8).marks] == [0, 3, 4]
    assert [mark.region for mark in whole.without_doubtful(0.5).marks] == [0, 1, 3, 4]
    promised = tuple(replace(mark, is_said=False) for mark in marks)
    assert [mark.region for mark in replace(whole, marks=promised).without_doubtful(0.8).marks] == [
        0
    ]
    sure = replace(whole, annotations=annotations[:1], marks=marks[:1])
    assert sure.without_doubtful(0.8) is sure
