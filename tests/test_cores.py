"""Cores are counted as a container has them, and threads that wait sleep where others want the cores."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ssa.cores import (
    CALM_BELOW,
    CALM_LOOKS,
    CROWDED_FROM,
    DECIDED_BY,
    Crowd,
    SleepingTeam,
    ThreadTime,
    mind_other_processes,
    thread_times,
    usable_cores,
    use_own_cores,
)

ROOT = Path(__file__).resolve().parent.parent
OWN = len(os.sched_getaffinity(0))
SECOND_NS = 10**9


@pytest.fixture
def two_threads() -> Iterator[None]:
    """Torch computes on two threads, as new threads will too, and afterwards as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*DECIDED_BY, "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("told", "cores"),
    [
        ("max 100000", OWN),
        ("50000 100000", 1),
        ("150000 100000", min(2, OWN)),
        ("99900000 100000", OWN),
        ("100000 0", OWN),
        ("many 100000", OWN),
        ("", OWN),
    ],
)
def test_a_quota_of_the_container_counts(tmp_path: Path, told: str, cores: int) -> None:
    (tmp_path / "cpu.max").write_text(told + "\n")
    assert usable_cores(tmp_path) == cores


@pytest.mark.parametrize(("quota", "cores"), [("-1", OWN), ("50000", 1), ("200000", min(2, OWN))])
def test_a_quota_of_control_groups_of_version_1_counts(
    tmp_path: Path, quota: str, cores: int
) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(quota + "\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert usable_cores(tmp_path) == cores


def test_without_control_groups_the_cores_are_those_one_may_run_on(tmp_path: Path) -> None:
    assert usable_cores(tmp_path / "none") == OWN


@pytest.mark.usefixtures("two_threads", "undecided")
def test_torch_computes_on_the_cores_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, threads in ((8, 2), (2, 2), (1, 1)):
        monkeypatch.setattr("ssa.cores.usable_cores", lambda cores=cores: cores)
        use_own_cores()
        assert torch.get_num_threads() == threads


@pytest.mark.usefixtures("two_threads")
def test_who_said_how_many_threads_gets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ssa.cores.usable_cores", lambda: 1)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    use_own_cores()
    assert torch.get_num_threads() == 2


class Looks:
    """A crowd that is looked at while one thread runs and waits."""

    def __init__(self) -> None:
        self.crowd = Crowd()
        self.seen = ThreadTime(0, 0)
        self.look(0, 0)

    def look(self, ran_s: float, waited_s: float) -> bool:
        self.seen = ThreadTime(
            self.seen.ran + int(ran_s * SECOND_NS), self.seen.waited + int(waited_s * SECOND_NS)
        )
        self.crowd.look({"1": self.seen})
        return self.crowd.is_there


def test_a_crowd_is_seen_at_once_and_forgotten_after_a_while() -> None:
    looks = Looks()
    assert not looks.look(0.5, 0)
    assert looks.look(0.3, 0.2)
    assert [looks.look(0.5, 0) for _ in range(CALM_LOOKS)] == [True] * (CALM_LOOKS - 1) + [False]


def test_a_wait_in_between_makes_the_calm_begin_anew() -> None:
    looks = Looks()
    looks.look(0.3, 0.2)
    for waited_s in (0, 0.05):
        assert all(looks.look(0.5, 0) for _ in range(CALM_LOOKS - 1))
        assert looks.look(0.5, waited_s) is (waited_s > 0)
        looks.look(0.3, 0.2)


def test_while_nothing_runs_nothing_is_learnt() -> None:
    looks = Looks()
    looks.look(0.3, 0.2)
    assert all(looks.look(0.001, 0) for _ in range(10 * CALM_LOOKS))


@given(st.lists(st.floats(0, 0.999)))
def test_between_the_bounds_all_stays_as_it_was(shares: list[float]) -> None:
    for was_there in (False, True):
        looks = Looks()
        looks.look(0.3, 0.2 if was_there else 0)
        for share in shares:
            waited = CALM_BELOW + 0.001 + share * (CROWDED_FROM - CALM_BELOW - 0.002)
            assert looks.look(1 - waited, waited) is was_there


def test_threads_that_came_or_went_are_not_compared() -> None:
    crowd = Crowd()
    crowd.look({"1": ThreadTime(0, 5 * SECOND_NS)})
    crowd.look({"2": ThreadTime(SECOND_NS, 9 * SECOND_NS)})
    assert not crowd.is_there


def test_the_system_tells_of_every_thread() -> None:
    found = thread_times()
    assert str(threading.get_native_id()) in found
    before = found[str(threading.get_native_id())]
    sum(range(10**6))
    after = thread_times()[str(threading.get_native_id())]
    assert after.ran > before.ran
    assert after.waited >= before.waited


def test_what_cannot_be_read_of_a_thread_is_left_out(tmp_path: Path) -> None:
    for number, told in (("1", "5 6 7"), ("2", ""), ("3", "a b c")):
        (tmp_path / number).mkdir()
        (tmp_path / number / "schedstat").write_text(told)
    assert thread_times(tmp_path) == {"1": ThreadTime(5, 6)}
    assert thread_times(tmp_path / "none") == {}


@pytest.mark.usefixtures("two_threads")
def test_a_sleeping_team_is_there_until_it_ends() -> None:
    before = set(thread_times())
    team = SleepingTeam()
    assert len(set(thread_times()) - before) == 2
    team.end()
    assert "ssa-team" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.usefixtures("two_threads", "undecided")
@pytest.mark.parametrize("variable", DECIDED_BY)
def test_who_said_how_threads_wait_has_decided(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "ACTIVE" if variable == "OMP_WAIT_POLICY" else "1000")
    assert mind_other_processes.__wrapped__() is None


@pytest.mark.usefixtures("two_threads", "undecided")
def test_one_thread_waits_for_nobody() -> None:
    torch.set_num_threads(1)
    assert mind_other_processes.__wrapped__() is None


# Two threads that want one core are a crowd of their own.
CROWDED = """
import os, threading, torch
from ssa.cores import mind_other_processes
torch.set_num_threads(2)
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
assert mind_other_processes() is mind_other_processes()
numbers = torch.ones(1 << 20)
while "ssa-team" not in {thread.name for thread in threading.enumerate()}:
    numbers.sum()
print("asleep")
"""


@pytest.mark.usefixtures("undecided")
def test_where_threads_wait_for_a_core_those_that_have_one_do_not_spin() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CROWDED], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.stdout == "asleep\n", done.stderr
