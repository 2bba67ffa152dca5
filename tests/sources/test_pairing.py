"""Which JSON holds masks, and what becomes of pictures and JSON that don't pair up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssa.errors import Fault
from ssa.sources import MaskOrigin
from ssa.sources.item import Blob
from ssa.sources.pairing import Place, items_in, shows_masks
from tests.sources.made_up import MASKS, METADATA, Files, found, keys, make_folder, make_tar, sa1b


def test_pairs_are_items_with_masks(tmp_path: Path) -> None:
    items, faults = found(make_folder(tmp_path / "sa_000000", sa1b(10, 2)))
    assert not faults
    assert keys(items) == ["sa_000000/sa_10", "sa_000000/sa_2"]
    assert [item.file_name for item in items] == ["sa_10.jpg", "sa_2.jpg"]
    assert [item.picture.read() for item in items] == [b"picture 10", b"picture 2"]
    assert [item.masks.read() for item in items if item.masks] == [MASKS] * 2


def test_what_has_no_partner_is_a_fault_each(tmp_path: Path) -> None:
    files = {**sa1b(1, 2, 3), "sa_4.jpg": b"", "sa_5.json": MASKS}
    items, faults = found(make_folder(tmp_path / "p", files))
    assert keys(items) == ["p/sa_1", "p/sa_2", "p/sa_3"]
    assert [(fault.file, fault.step) for fault in faults] == [
        ("p/sa_4.jpg", "pair"),
        ("p/sa_5.json", "pair"),
    ]
    assert "sa_4.json" in faults[0].message


def test_two_pictures_of_one_name_are_ambiguous(tmp_path: Path) -> None:
    files = {**sa1b(1, 2), "sa_2.png": b"", "sa_1.JSON": MASKS}
    items, faults = found(make_folder(tmp_path / "p", files))
    assert not items
    assert [fault.file for fault in faults] == ["p/sa_1.jpg", "p/sa_2.jpg", "p/sa_2.png"]
    assert "sa_2.jpg, sa_2.png, sa_2.json" in faults[1].message


def test_duplicate_stems_without_masks_are_pictures_of_their_own(tmp_path: Path) -> None:
    files = {"a.jpg": b"", "a.png": b"", "a.json": METADATA}
    items, faults = found(make_folder(tmp_path / "p", files))
    assert keys(items) == ["p/a.jpg", "p/a.png"]
    assert not faults


@pytest.mark.parametrize("masks", ["sam", "semantic-sam"])
def test_with_a_model_for_masks_json_is_nothing(tmp_path: Path, masks: MaskOrigin) -> None:
    files = {**sa1b(1), "sa_1.png": b"", "sa_2.json": MASKS}
    items, faults = found(make_folder(tmp_path / "p", files), masks=masks)
    assert keys(items) == ["p/sa_1.jpg", "p/sa_1.png"]
    assert not faults
    assert not any(item.masks for item in items)


def test_given_masks_are_asked_of_every_folder(tmp_path: Path) -> None:
    files = {"a/x.jpg": b"", "b/y.jpg": b"", "b/y.json": METADATA}
    items, faults = found(make_folder(tmp_path / "p", files), masks="given")
    # What is in the JSON is for the step that reads it.
    assert keys(items) == ["p/b/y"]
    assert [fault.file for fault in faults] == ["p/a/x.jpg"]


@pytest.mark.parametrize("bad", [b"", b"{", b"\xff", b"[" * 100_000])
def test_a_broken_file_doesnt_make_a_folder_plain(tmp_path: Path, bad: bytes) -> None:
    files = {**sa1b(*range(10, 30)), **{f"sa_{i}.json": bad for i in range(10, 25)}}
    items, faults = found(make_folder(tmp_path / "p", files))
    assert len(items) == 20
    assert not faults
    assert all(item.masks for item in items)


def test_only_the_first_few_files_are_judged(tmp_path: Path) -> None:
    plain = {f"{i:02}.{suffix}": METADATA for i in range(8) for suffix in ("jpg", "json")}
    files = {**plain, "99.jpg": b"", "99.json": MASKS}
    folder = make_folder(tmp_path / "p", files)
    assert not any(item.masks for item in found(folder)[0])
    (folder / "07.json").unlink()
    assert any(item.masks for item in found(folder)[0])


@pytest.mark.parametrize(
    ("payload", "answer"),
    [
        (json.loads(MASKS), True),
        (json.loads(MASKS)["annotations"], True),
        ({"annotations": []}, False),
        ({"annotations": [{"segmentation": [[0, 0, 4, 0, 4, 4]]}]}, False),
        ({"shapes": [1]}, False),
        ("annotations", False),
        (3, False),
        (None, False),
    ],
)
def test_what_counts_as_masks(payload: object, answer: bool) -> None:
    assert shows_masks(json.dumps(payload).encode()) is answer


def test_what_is_no_json_has_no_say() -> None:
    assert shows_masks(b"{") is None
    assert shows_masks(b"\xff\xfe") is None


NAMES = st.lists(
    st.builds(
        "{}{}{}".format,
        st.sampled_from(["a", "b", "a.b", "b.a"]),
        st.sampled_from(["", ".c", ".seg"]),
        st.sampled_from([".jpg", ".PNG", ".json", ".JSON"]),
    ),
    unique=True,
)


@given(NAMES, st.sampled_from([None, "given", "sam"]), st.booleans())
def test_no_picture_is_lost_and_no_key_comes_twice(
    names: list[str], masks: MaskOrigin, by_sample: bool
) -> None:
    def stem(name: str) -> str:
        return name.partition(".")[0] if by_sample else name.rpartition(".")[0]

    def unreadable(name: str) -> Blob:
        return Blob(Path("/nowhere"), 0, len(name))

    results = list(items_in(Place("s", names, unreadable, stem), masks))
    items = [one for one in results if not isinstance(one, Fault)]
    assert len(set(keys(items))) == len(items)
    named = {one.file for one in results if isinstance(one, Fault)}
    named |= {f"s/{item.file_name}" for item in items}
    pictures = {f"s/{name}" for name in names if name.lower().endswith((".jpg", ".png"))}
    if masks != "given":
        assert named == pictures
    elif not by_sample:
        assert pictures <= named
    # Every sample is heard of, by its other fields if not by all.
    stems = {stem(name) for name in names if masks == "given" or f"s/{name}" in pictures}
    assert {stem(name[2:]) for name in named} == stems


def test_a_sample_of_many_fields_is_taken_by_its_plain_ones(tmp_path: Path) -> None:
    files: Files = {"7.jpg": b"", "7.seg.png": b"", "7.json": MASKS, "7.meta.json": METADATA}
    items, faults = found(make_tar(tmp_path / "shard.tar", files))
    assert keys(items) == ["shard/7"]
    assert items[0].file_name == "7.jpg"
    assert not faults
