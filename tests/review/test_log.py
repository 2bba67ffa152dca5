"""The file of decisions: all that was acknowledged is there, whoever was killed and whatever was full."""

from __future__ import annotations

import json
import logging
import os
import random
import resource
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st
from review.made_up import REFS, decisions

from ssa.errors import InputError, OutputError
from ssa.review.decisions import Accepted, Decision, Rejected
from ssa.review.log import DecisionLog, read_history

YES, NO = Accepted(REFS[0], "cat"), Rejected(REFS[1], "shadow")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "decisions.jsonl"


def said(path: Path) -> list[tuple[Decision, ...]]:
    return [one.decisions for one in read_history(path).entries]


@given(st.lists(st.one_of(st.lists(decisions(), min_size=1, max_size=3), st.none()), max_size=6))
def test_what_was_added_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, scripted: list[list[Decision] | None]
) -> None:
    path = tmp_path_factory.mktemp("log") / "decisions.jsonl"
    expected: list[tuple[Decision, ...]] = []
    with DecisionLog(path) as log:
        for one in scripted:
            if one is None:
                assert (log.undo() is None) == (not expected)
                del expected[-1:]
            else:
                log.append(one)
                expected.append(tuple(one))
    assert said(path) == expected
    with DecisionLog(path) as log:
        assert [one.decisions for one in log.history.entries] == expected


def test_a_line_says_when_who_and_what(path: Path) -> None:
    with DecisionLog(path) as log:
        log.append([YES, NO], by="page")
        log.undo()
    first, second = map(json.loads, path.read_text().splitlines())
    assert first.keys() == {"v", "n", "at", "by", "do"}
    assert (first["v"], first["n"], first["by"]) == (1, 1, "page")
    assert [one["what"] for one in first["do"]] == ["accepted", "rejected"]
    assert first["at"].endswith("Z")
    assert (second["n"], second["undo"], second["by"]) == (2, 1, "page")


def test_one_who_decides_undoes_their_own(path: Path) -> None:
    with DecisionLog(path) as log:
        log.append([YES], by="left")
        log.append([NO], by="right")
        log.undo("left")
        assert log.undo("left") is None
    assert said(path) == [(NO,)]


def test_two_windows_see_each_other(path: Path) -> None:
    with DecisionLog(path) as one, DecisionLog(path) as two:
        assert one.append([YES]).number == 1
        assert two.append([NO]).number == 2
        one.refresh()
        assert [entry.decisions for entry in one.history.entries] == [(YES,), (NO,)]
        one.undo()
        two.refresh()
        assert [entry.decisions for entry in two.history.entries] == [(YES,)]


def test_threads_and_processes_add_at_once(path: Path) -> None:
    def add(log: DecisionLog) -> None:
        for _ in range(25):
            log.append([YES])

    def child() -> int:
        if number := os.fork():
            return number
        try:
            with DecisionLog(path) as own:
                add(own)
            os._exit(0)
        finally:
            os._exit(1)

    children = [child(), child()]
    with DecisionLog(path) as log:
        threads = [Thread(target=add, args=(log,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
        log.refresh()
        assert [entry.number for entry in log.history.entries] == list(range(1, 101))
    assert len(said(path)) == 100


@pytest.mark.parametrize("tail", [b'{"v":1,"n":2,"at":"', b"\0" * 40, b"\0\0\0}\n"])
def test_a_torn_line_is_cut_off_and_told(
    path: Path, tail: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with DecisionLog(path) as log:
        log.append([YES])
    whole = path.read_bytes()
    path.write_bytes(whole + tail)
    assert said(path) == [(YES,)]
    assert path.read_bytes() == whole + tail
    with caplog.at_level(logging.WARNING), DecisionLog(path) as log:
        assert f"its {len(tail)} bytes were cut off" in caplog.text
        assert path.read_bytes() == whole
        assert log.append([NO]).number == 2
    assert said(path) == [(YES,), (NO,)]


def test_a_window_that_lives_on_cuts_what_a_killed_one_left(path: Path) -> None:
    with DecisionLog(path) as log:
        log.append([YES])
        with path.open("ab") as killed:
            killed.write(b'{"v":1,"n":2')
        log.append([NO])
    assert said(path) == [(YES,), (NO,)]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: text.replace('"v":1', '"v":2', 1), "version 2"),
        (lambda text: text.replace('"n":1', '"n":3', 1), "line 1 of decisions.jsonl to hold a sound 'n'"),
        (lambda text: text.replace("accepted", "excepted", 1), "line 1 .* a sound 'what'"),
        (lambda text: text[5:], "line 1 .* JSON"),
    ],
)  # fmt: skip
def test_a_damaged_line_in_the_midst_is_no_torn_one(path: Path, damage, message: str) -> None:  # type: ignore[no-untyped-def]
    with DecisionLog(path) as log:
        log.append([YES])
        log.append([NO])
    path.write_text(damage(path.read_text()))
    before = path.read_bytes()
    with pytest.raises(InputError, match=message):
        DecisionLog(path)
    with pytest.raises(InputError, match=message):
        read_history(path)
    assert path.read_bytes() == before


def test_no_decision_is_no_entry(path: Path) -> None:
    with DecisionLog(path) as log, pytest.raises(ValueError, match="at least one"):
        log.append([])
    assert path.read_bytes() == b""


def test_where_nothing_can_be_written_one_line_says_so(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"decisions\.jsonl can't take more: No such file"):
        DecisionLog(tmp_path / "gone" / "decisions.jsonl")


def test_a_file_that_was_cut_meanwhile_is_told(path: Path) -> None:
    with DecisionLog(path) as log:
        log.append([YES])
        path.write_bytes(b"")
        with pytest.raises(InputError, match="grow only"):
            log.refresh()


def fill(path: Path) -> int:
    """Add decisions until there is no room; how many were acknowledged."""
    count = 0
    with DecisionLog(path) as log:
        while count < 10_000:
            before = path.read_bytes()
            try:
                log.append([YES])
            except OutputError:
                assert path.read_bytes() == before
                assert len(log.history.entries) == count
                return count
            count += 1
    raise AssertionError("expected no more room")


def test_a_file_that_may_not_grow_keeps_what_was_acknowledged(path: Path) -> None:
    """As on a full disk, the last write is a part of a line."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, before[1]))
        count = fill(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert len(said(path)) == count > 10
    with DecisionLog(path) as log:
        log.append([NO])
    assert said(path) == [(YES,)] * count + [(NO,)]


def test_a_full_disk_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    try:
        path = disk / "decisions.jsonl"
        count = fill(path)
        assert len(said(path)) == count > 100
    finally:
        subprocess.run(["umount", str(disk)], check=True)


SCRIPTED = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from ssa.review.decisions import Accepted, RegionRef
    from ssa.review.log import DecisionLog
    with DecisionLog(Path(sys.argv[1])) as log:
        while True:
            number = len(log.history.entries)
            entry = log.append([Accepted(RegionRef("a", number, "x"), f"label {number}")] * 20)
            print(entry.number, flush=True)
    """
)


def test_twenty_times_killed_all_that_was_acknowledged_is_there(path: Path) -> None:
    seed = int.from_bytes(os.urandom(4))
    chance, acknowledged = random.Random(seed), 0
    for _ in range(20):
        command = [sys.executable, "-c", SCRIPTED, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as alive:
            assert alive.stdout is not None
            for _ in range(chance.randint(1, 30)):
                alive.stdout.readline()
            alive.kill()
            # What it had told and nobody had read yet was acknowledged too.
            told = alive.stdout.read().splitlines()
        acknowledged = int(told[-1]) if told else acknowledged
        entries = read_history(path).entries
        assert len(entries) >= acknowledged, seed
        for number, entry in enumerate(entries):
            assert len(entry.decisions) == 20
            assert entry.decisions[0] == Accepted(entry.decisions[0].region, f"label {number}"), (
                seed
            )  # type: ignore[union-attr]
