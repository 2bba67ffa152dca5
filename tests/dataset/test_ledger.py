"""The ledger: states that only go on, transactions that are whole, and paths of any bytes."""

import os
import sqlite3
from pathlib import Path

import pytest

from ssa.dataset.ledger import DONE, FAILED, KEPT, WAITING, Done, Ledger
from ssa.dataset.outcomes import Annotated, Failed
from ssa.errors import Fault
from ssa.sources import Item
from ssa.sources.item import Blob


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.sqlite")


def item(name: str, size: int = 10, masks: int | None = None) -> Item:
    given = None if masks is None else Blob(Path("m.json"), 0, masks)
    return Item(f"s/{name}", name, Blob(Path(name), 0, size), given)


def done(name: str, *labels: str) -> Annotated:
    return Annotated(f"s/{name}", name.encode(), labels, 2)


def failed(name: str) -> Failed:
    return Failed(f"s/{name}", Fault(f"s/{name}", "decode", "no"))


def test_groups_come_whole_and_in_the_order_of_listing(ledger: Ledger) -> None:
    ledger.list_anew([(0, item("b")), (0, item("a")), (1, item("c", masks=7))])
    first, second = ledger.work()
    assert [one.file_name for one in first.items] == ["b", "a"]
    assert (second.number, second.items) == (1, (item("c", masks=7),))


def test_a_picture_goes_from_waiting_to_kept_to_done(ledger: Ledger) -> None:
    ledger.list_anew([(0, item("a"))])
    states = [ledger.known("s/a").state]  # type: ignore[union-attr]
    ledger.keep([done("a", "dog", "car")], "me")
    states.append(ledger.known("s/a").state)  # type: ignore[union-attr]
    assert (ledger.kept(), ledger.document("s/a")) == (["s/a"], b"a")
    ledger.settle(["s/a"])
    states.append(ledger.known("s/a").state)  # type: ignore[union-attr]
    assert states == [WAITING, KEPT, DONE]
    assert list(ledger.done()) == [Done("s/a", "a", ("dog", "car"), item("a").picture)]
    assert ledger.kept() == []
    assert list(ledger.work()) == []


def test_what_failed_is_work_again_and_told_by_name(ledger: Ledger) -> None:
    ledger.list_anew([(0, item("b")), (0, item("a")), Fault("s/c", "pair", "no picture")])
    ledger.keep([failed("b"), done("a")], "me")
    ledger.settle(["s/a"])
    (group,) = ledger.work()
    assert [one.key for one in group.items] == ["s/b"]
    assert list(ledger.faults()) == [
        Fault("s/b", "decode", "no"),
        Fault("s/c", "pair", "no picture"),
    ]
    ledger.keep([done("b")], "me")
    assert [fault.file for fault in ledger.faults()] == ["s/c"]


def test_work_that_fails_while_it_is_read_does_not_come_twice(ledger: Ledger) -> None:
    ledger.list_anew((number, item(str(number))) for number in range(5))
    seen = []
    for group in ledger.work():
        seen.append(group.number)
        ledger.keep([failed(str(group.number))], "me")
    assert seen == [0, 1, 2, 3, 4]


def test_listing_anew_keeps_what_is_done_and_drops_what_is_gone_from_the_work(
    ledger: Ledger,
) -> None:
    ledger.list_anew([(0, item("a")), (0, item("b")), Fault("x", "input", "old")])
    ledger.keep([done("a")], "me")
    ledger.settle(["s/a"])
    ledger.list_anew([(7, item("a")), (8, item("c"))])
    (group,) = ledger.work()
    assert [one.key for one in group.items] == ["s/c"]
    assert list(ledger.faults()) == []
    assert (ledger.totals.pictures, ledger.totals.done, ledger.totals.masks) == (2, 1, 2)
    assert ledger.next_group == 9


def test_a_listing_that_breaks_off_leaves_the_one_before(ledger: Ledger) -> None:
    ledger.list_anew([(0, item("a"))])

    def broken():  # type: ignore[no-untyped-def]
        yield 0, item("b")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ledger.list_anew(broken())
    (group,) = ledger.work()
    assert [one.key for one in group.items] == ["s/a"]
    assert ledger.known("s/b") is None


def test_a_group_is_kept_whole_or_not_at_all(ledger: Ledger) -> None:
    ledger.list_anew([(0, item("a")), (0, item("b"))])
    bad = Annotated("s/b", object(), (), 1)  # type: ignore[arg-type]  # SQLite can't hold it
    with pytest.raises(sqlite3.Error):
        ledger.keep([done("a"), bad], "me")
    assert ledger.kept() == []
    ledger.keep([done("a"), done("b")], "me")
    assert ledger.kept() == ["s/a", "s/b"]


def test_it_all_outlives_the_process(ledger: Ledger, tmp_path: Path) -> None:
    ledger.list_anew([(3, item("a")), (3, item("b"))])
    ledger.keep([done("a"), failed("b")], "me")
    ledger.close()
    again = Ledger(tmp_path / "ledger.sqlite")
    assert again.kept() == ["s/a"]
    assert again.known("s/b").state == FAILED  # type: ignore[union-attr]


def test_a_path_may_have_any_bytes(ledger: Ledger) -> None:
    strange = Path(os.fsdecode(b"caf\xe9/\xff.jpg"))
    ledger.list_anew([(0, Item("s/x", "x", Blob(strange, 1, 2)))])
    (group,) = ledger.work()
    assert group.items[0].picture == Blob(strange, 1, 2)


def test_documents_leave_no_weight_behind(ledger: Ledger, tmp_path: Path) -> None:
    heavy = b"x" * 100_000
    for number in range(40):
        ledger.list_anew([(number, item(str(number)))])
        ledger.keep([Annotated(f"s/{number}", heavy, ("dog",), 1)], "me")
        ledger.settle([f"s/{number}"])
    assert (tmp_path / "ledger.sqlite").stat().st_size < 5 * len(heavy)
