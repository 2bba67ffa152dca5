"""Any name becomes a path that stays inside its folder, and no two become the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ssa.sources.names import (
    ENDINGS,
    LONGEST_KEY,
    LONGEST_PART,
    SourceNames,
    is_hidden,
    is_picture,
    may_hold_masks,
    printable,
    safe_key,
)

# Half of Unicode, and what is troublesome in paths more often than chance would have it.
LETTERS = st.one_of(
    st.sampled_from("./\\% ~-uA2F\x00\n\x7f\u2028é\udce9\ud800"),
    st.characters(exclude_categories=()),
)
NAMES = st.one_of(st.text(LETTERS, max_size=40), st.text(LETTERS, min_size=150, max_size=1500))
PLAIN = st.from_regex(r"[\w ()\-]{0,20}[\w](\.[a-z]{2,4})?", fullmatch=True)


def is_safe(key: str) -> bool:
    parts = key.split("/")
    return len(key.encode("utf-8")) <= LONGEST_KEY and all(
        part not in ("", ".", "..")
        and len(part.encode("utf-8")) <= LONGEST_PART
        and part[-1] not in " ."
        and not set(part) & set("\x00\n\x7f\x85\u2028\\")
        for part in parts
    )


@given(NAMES)
@example("")
@example("/")
@example("../../etc/passwd")
@example("a" * 250 + "é" * 5)
def test_every_key_is_safe(name: str) -> None:
    key = safe_key(name)
    assert is_safe(key)
    inside = os.path.normpath(os.path.join("/out", key))
    assert inside == f"/out/{key}"


@settings(max_examples=500)
@given(NAMES, NAMES)
@example("\x85", "\udcc2\udc85")
@example("%", "")
@example("%25", "%")
@example("a.", "a%2E")
@example("a/b", "a%2Fb")
@example("a" * 201, "a" * 202)
@example("x.json/a", "x%2Ejson/a")
def test_different_names_have_different_keys(one: str, other: str) -> None:
    assert (safe_key(one) == safe_key(other)) == (one == other)


@given(st.text(LETTERS, max_size=6), st.text(LETTERS, max_size=6))
def test_different_short_names_have_different_keys(one: str, other: str) -> None:
    assert (safe_key(one) == safe_key(other)) == (one == other)


# A folder that ends as our own files do is no plain one; it has a test of its own.
FOLDERS = st.lists(PLAIN.filter(lambda part: not part.lower().endswith(ENDINGS)), max_size=4)


@given(st.builds(lambda folders, last: "/".join([*folders, last]), FOLDERS, PLAIN))
@example("photos/sub folder/Äpfel 苹果 (1).jpg")
@example("sa_000000/sa_223750")
@example(".hidden/..b/...c")
def test_plain_names_stay_as_they_are(name: str) -> None:
    assert safe_key(name) == name


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("../x.jpg", ".%2E/x.jpg"),
        ("./x.jpg", "%2E/x.jpg"),
        ("/etc/x.jpg", "%/etc/x.jpg"),
        ("100%.jpg", "100%25.jpg"),
        ("a\\b.jpg", "a%5Cb.jpg"),
        ("line\nbreak.jpg", "line%0Abreak.jpg"),
        (os.fsdecode(b"caf\xe9.jpg"), "caf%E9.jpg"),
        ("dot. /x", "dot.%20/x"),
    ],
)
def test_what_is_unsafe_is_encoded(name: str, key: str) -> None:
    assert safe_key(name) == key


def test_a_long_name_is_cut_and_keeps_a_hash() -> None:
    key = safe_key("ж" * 150 + ".jpg")
    assert key.startswith("ж" * 80)
    assert key[-18:-16] == "%-"
    assert is_safe(safe_key("/".join(["a" * 200] * 30)))


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_folder_stands_where_a_file_goes(ending: str) -> None:
    folder, _ = safe_key(f"p/a.jpg{ending}/b.jpg").rsplit("/", 1)
    assert folder != safe_key("p/a.jpg") + ending
    assert safe_key(f"p/a.jpg{ending}") == f"p/a.jpg{ending}"


def test_keys_can_be_files(tmp_path: Path) -> None:
    for name in ("", "..", "a/../b", "x" * 999, "tab\t", os.fsdecode(b"\xff"), "a\x00b", "\ud800"):
        path = tmp_path / (safe_key(name) + ".json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, errors="replace")
        assert path.resolve().is_relative_to(tmp_path.resolve())


@given(NAMES)
def test_printable_names_can_be_written_as_utf_8(name: str) -> None:
    written = printable(name).encode("utf-8").decode("utf-8")
    assert len(written) == len(name)
    assert all(
        ours == theirs or ours == "\ufffd" for ours, theirs in zip(written, name, strict=True)
    )


def test_sources_of_one_name_are_told_apart() -> None:
    names = SourceNames()
    given = ["photos", "photos", "photos-2", "dog.jpg", "dog.jpg", "photos", "v1.2", "v1.2"]
    expected = ["photos", "photos-2", "photos-2-2", "dog.jpg", "dog-2.jpg", "photos-3"]
    expected += ["v1.2", "v1.2-2"]
    assert [names.distinct(name) for name in given] == expected


@given(st.lists(st.sampled_from(["a", "a-2", "a-2-2", "a-3", "b.jpg", "b-2.jpg"])))
def test_names_of_sources_are_distinct_and_the_same_every_time(given: list[str]) -> None:
    def all_distinct() -> list[str]:
        names = SourceNames()
        return [names.distinct(name) for name in given]

    assert len(set(all_distinct())) == len(given)
    assert all_distinct() == all_distinct()


def test_what_a_name_tells() -> None:
    assert is_picture("a/dog.JPG")
    assert is_picture("dog.seg.webp")
    assert not is_picture("dog.jpg.txt")
    assert not is_picture("jpg")
    assert may_hold_masks("sa_1.JSON")
    assert not may_hold_masks("sa_1.jsonl")
    assert [is_hidden(name) for name in ("._a.jpg", "x/.a", ".x/a", "..", "a")] == [
        *(True, True),
        *(False, False, False),
    ]
