"""Our pictures by what other tools call them."""

from __future__ import annotations

import pytest

from ssa.formats.foreign import PictureNames

NAMES = PictureNames(
    {
        "photos/dog.jpg": "dog",
        "photos/cat.jpg": "cat",
        "more/cat.jpg": "other cat",
        "cat.jpg": "cat alone",
        "more/a b/ü.png": "ü",
        "more/0123abcd-x.png": "x",
    }
)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("photos/dog.jpg", "dog"),
        ("dog.jpg", "dog"),
        ("somewhere/else/dog.jpg", "dog"),
        ("photos/cat.jpg", "cat"),
        ("x/more/cat.jpg", "other cat"),
        ("cat.jpg", "cat alone"),
        ("hound.jpg", None),
        ("dog.jpg/x", None),
        ("/data/local-files/?d=photos/dog.jpg", "dog"),
        ("/data/local-files/?d=more/a%20b/%C3%BC.png", "ü"),
        ("/data/upload/3/9f8e7d6c-dog.jpg", "dog"),
        ("/data/upload/3/9f8e7d6c-.jpg", None),
        ("https://example.org/pictures/more/a%20b/%C3%BC.png?key=1", "ü"),
        ("s3://bucket/photos/cat.jpg", "cat"),
        ("0123abcd-x.png", "x"),
        ("", None),
    ],
)
def test_a_picture_is_found_by_the_end_of_its_path(name: str, meant: str | None) -> None:
    assert NAMES.find(name) == meant


def test_an_end_that_several_have_is_nobodys() -> None:
    names = PictureNames({"a/x.jpg": "one", "b/x.jpg": "two"})
    assert names.find("x.jpg") is None
    assert names.find("c/x.jpg") is None
    assert names.find("c/b/x.jpg") == "two"
