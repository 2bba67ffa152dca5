"""From what was found to groups of work: the same groups in every run, and nothing done twice or lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ssa.dataset.ledger import Ledger
from ssa.dataset.outcomes import Annotated
from ssa.dataset.plan import GROUP, plan
from ssa.errors import Fault, InputError
from ssa.sources import Blob, Item


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger")
    yield opened
    opened.close()


def items(source: str, count: int) -> list[Item]:
    return [
        Item(
            f"{source}/{i:03}.png",
            f"{i:03}.png",
            Blob(Path(f"/in/{source}/{i:03}.png"), 0, 100 + i),
        )
        for i in range(count)
    ]


def given(item: Item) -> Item:
    """The picture with masks beside it: its key then has no ending."""
    masks = Blob(item.picture.path.with_suffix(".json"), 0, 9)
    return replace(item, key=item.key.removesuffix(".png"), masks=masks)


def groups(ledger: Ledger) -> list[tuple[int, list[str]]]:
    return [(group.number, [item.key for item in group.items]) for group in ledger.work()]


def do(ledger: Ledger, keys: Sequence[str]) -> None:
    ledger.keep([Annotated(key, b"{}", ("sky",), 2) for key in keys], "the tests")
    ledger.settle(keys)


def there(_key: str) -> bool:
    return True


def test_groups_are_of_one_source_and_full_but_for_its_last(ledger: Ledger) -> None:
    plan(ledger, [*items("a", GROUP + 3), *items("b", 2)], there)
    assert [(number, len(keys)) for number, keys in groups(ledger)] == [(0, GROUP), (1, 3), (2, 2)]
    assert all(len({key[0] for key in keys}) == 1 for _, keys in groups(ledger))


def test_pictures_keep_their_groups_and_new_ones_get_new_ones(ledger: Ledger) -> None:
    plan(ledger, items("a", 3), there)
    plan(ledger, [*items("0", 1), *items("a", 4)], there)
    assert groups(ledger) == [
        (0, ["a/000.png", "a/001.png", "a/002.png"]),
        (1, ["0/000.png"]),
        (2, ["a/003.png"]),
    ]


def test_what_is_done_is_done_until_its_file_is_gone(ledger: Ledger) -> None:
    plan(ledger, items("a", 3), there)
    do(ledger, ["a/000.png", "a/001.png"])
    plan(ledger, items("a", 3), there)
    assert groups(ledger) == [(0, ["a/002.png"])]
    plan(ledger, items("a", 3), lambda key: key != "a/001.png")
    assert groups(ledger) == [(0, ["a/001.png", "a/002.png"])]


def test_a_file_of_another_size_is_a_fault_once_it_was_annotated(ledger: Ledger) -> None:
    (item,) = items("a", 1)
    other = replace(item, picture=replace(item.picture, size=7))
    plan(ledger, [item], there)
    plan(ledger, [other], there)  # not annotated yet: the new one counts
    assert [group.items for group in ledger.work()] == [(other,)]
    do(ledger, [item.key])
    plan(ledger, [item], there)
    (fault,) = ledger.faults()
    assert (fault.file, fault.step) == ("a/000.png", "input")
    assert "expected the file that was annotated, 7 bytes; got 100 bytes" in fault.message
    assert "delete them to have it done again" in fault.message


def test_a_picture_that_comes_with_masks_and_had_none_is_a_fault(ledger: Ledger) -> None:
    (bare,) = items("a", 1)
    plan(ledger, [bare], there)
    do(ledger, [bare.key])
    plan(ledger, [given(bare)], there)
    (fault,) = ledger.faults()
    assert "expected the picture without given masks" in fault.message
    assert groups(ledger) == []


def test_a_picture_from_elsewhere_stops_the_run_unless_all_have_moved(ledger: Ledger) -> None:
    (item,) = items("a", 1)
    plan(ledger, [item], there)
    do(ledger, [item.key])
    elsewhere = replace(item, picture=replace(item.picture, path=Path("/other/000.png")))
    with pytest.raises(InputError, match="--moved"):
        plan(ledger, [elsewhere], there)
    plan(ledger, [elsewhere], there, moved=True)
    assert (groups(ledger), list(ledger.faults())) == ([], [])


def test_faults_of_finding_are_told_as_they_are(ledger: Ledger) -> None:
    fault = Fault("a/broken.tar", "read", "expected a tar; got none")
    plan(ledger, [fault, *items("a", 1)], there)
    assert list(ledger.faults()) == [fault]
    assert groups(ledger) == [(0, ["a/000.png"])]
